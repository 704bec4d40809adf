"""What service accounts may do, asked of the API server itself."""

import json
from collections.abc import Iterable
from typing import Any

from tests.cluster.kubectl import NAMESPACE, Kubectl, as_list

Object = dict[str, Any]
Right = tuple[str, str]
"""A verb, and a resource as kubectl names it: `pods/exec`, `deployments.apps`."""
Question = tuple[str, str, Right]
"""An account, a namespace, and what it would do there."""
NOBODY = "system:serviceaccount:stranger:nobody"


def accounts(kubectl: Kubectl) -> list[str]:
    """Return the service accounts of our namespace."""
    found = kubectl.json("get", "serviceaccounts", f"--namespace={NAMESPACE}")["items"]
    return sorted(item["metadata"]["name"] for item in found)


def user(account: str) -> str:
    return f"system:serviceaccount:{NAMESPACE}:{account}"


def rights(kubectl: Kubectl, who: str, namespace: str) -> set[Right]:
    """Return every right of a user in a namespace, those of the whole cluster included."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    (answer,) = created(kubectl, json.dumps(review), f"--as={who}")
    return {
        (verb, f"{resource}.{group}" if group else resource)
        for rule in answer["status"]["resourceRules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
        for group in rule["apiGroups"]
    }


def allowed(kubectl: Kubectl, questions: Iterable[Question]) -> set[Question]:
    """Return the questions that the API server answers with yes, all asked at once."""
    asked = list(questions)
    reviews = as_list(review(*one) for one in asked)
    decided = zip(asked, created(kubectl, reviews), strict=True)
    return {question for question, item in decided if item["status"]["allowed"]}


def review(account: str, namespace: str, right: Right) -> Object:
    verb, named = right
    resource, _, group = named.partition(".")
    resource, _, subresource = resource.partition("/")
    what = {"group": group, "resource": resource, "subresource": subresource, "verb": verb}
    groups = ["serviceaccounts", f"serviceaccounts:{NAMESPACE}", "authenticated"]
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": user(account),
            "groups": [f"system:{name}" for name in groups],
            "resourceAttributes": {"namespace": namespace, **what},
        },
    }


def created(kubectl: Kubectl, asked: str, *options: str) -> list[Object]:
    """Return what the API server made of objects, given as JSON; kubectl prints one after another.

    It would ask for the types of the cluster first, which not everyone may read.
    """
    command = ("create", "--filename", "-", "--output=json", "--validate=false", *options)
    text = kubectl.run(*command, text=asked, timeout=120)
    found, decoder = [], json.JSONDecoder()
    while text := text.strip():
        item, end = decoder.raw_decode(text)
        found.append(item)
        text = text[end:]
    return found
