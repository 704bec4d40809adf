"""A Django service without telemetry code, in one module: settings, routes and application."""

import logging

from django.core.exceptions import PermissionDenied
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = __name__
SECRET_KEY = "of the tests"
MIDDLEWARE: list[str] = []


def item(_: HttpRequest, item: int) -> HttpResponse:
    return HttpResponse(str(item))


def order(_: HttpRequest) -> HttpResponse:
    logging.getLogger("shop").warning("order taken")
    return HttpResponse("taken", status=201)


def forbidden(_: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def broken(_: HttpRequest) -> HttpResponse:
    raise ValueError("broken on purpose")


def health(_: HttpRequest) -> HttpResponse:
    return HttpResponse("well")


def last(_: HttpRequest) -> HttpResponse:
    return HttpResponse("last")


def thing(_: HttpRequest, thing: str) -> HttpResponse:
    return HttpResponse(thing)


urlpatterns = [
    path("items/<int:item>", item),
    path("orders", order),
    path("forbidden", forbidden),
    path("broken", broken),
    path("health", health),
    path("last", last),
    path("v2/", include([path("things/<thing>", thing)])),
]


def application() -> object:
    """Return the WSGI application; gunicorn calls this after the settings have been read."""
    return get_wsgi_application()
