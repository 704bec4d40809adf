"""The built-in task types. Add yours here: a handler takes a text and returns a result."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

import httpx

Result = dict[str, object]
Handler = Callable[[str, httpx.AsyncClient], Awaitable[Result]]

COMMON_WORDS = (
    "about after also been before being both could does each from have here into just more most "
    "much only other over same should some such than that their them then there these they this "
    "those through under very were what when where which while will with would your"
)
IGNORED = frozenset(COMMON_WORDS.split())


@dataclass(frozen=True)
class Task:
    task_id: str
    agent_id: str
    task_type: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """How a task ended: `status` is "success" with a result or "error" with a sentence."""

    status: str
    duration_ms: float
    result: Result | None = None
    error: str | None = None


class TaskFailedError(Exception):
    """The task cannot be done; the message is returned to the client."""


async def word_statistics(text: str, _: httpx.AsyncClient) -> Result:
    words = words_of(text)
    if not words:
        raise TaskFailedError("the text has no words")
    return {
        "words": len(words),
        "distinct_words": len(set(words)),
        "sentences": len(sentences_of(text)),
        "mean_word_length": round(sum(map(len, words)) / len(words), 2),
    }


async def extract_keywords(text: str, _: httpx.AsyncClient) -> Result:
    found = keywords_of(text)
    if not found:
        raise TaskFailedError("the text has no word of four letters or more to be a keyword")
    return {"keywords": [word for word, _ in found.most_common(5)]}


async def summarize_document(text: str, api: httpx.AsyncClient) -> Result:
    """Fetch the document with this id, and return its three sentences with the most keywords."""
    document_id = text.strip()
    document = await fetch_document(document_id, api)
    weights = keywords_of(document)
    sentences = sentences_of(document)
    ranked = sorted(
        range(len(sentences)),
        key=lambda at: sum(weights[word] for word in words_of(sentences[at])),
        reverse=True,
    )
    summary = " ".join(sentences[at] for at in sorted(ranked[:3]))
    return {"document_id": document_id, "summary": summary}


async def fetch_document(document_id: str, api: httpx.AsyncClient) -> str:
    """Ask the API for a document; raises `TaskFailedError` if there is none, or no answer."""
    try:
        answer = await api.get(f"/documents/{quote(document_id, safe='')}")
    except httpx.TransportError as error:
        raise TaskFailedError(f"the API did not answer: {str(error) or repr(error)}") from error
    if answer.status_code in {404, 422}:
        raise TaskFailedError(f"there is no document {document_id[:100]!r}")
    if answer.is_error:
        raise TaskFailedError(f"the API answered {answer.status_code} for a document")
    text: str = answer.json()["text"]
    return text


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())


def sentences_of(text: str) -> list[str]:
    return [part.strip() for part in re.findall(r"[^.!?]+[.!?]*", text) if part.strip()]


def keywords_of(text: str) -> Counter[str]:
    """Count the words of four letters or more that are not common words."""
    return Counter(w for w in words_of(text) if len(w) >= 4 and w not in IGNORED)


HANDLERS: dict[str, Handler] = {
    "word_statistics": word_statistics,
    "extract_keywords": extract_keywords,
    "summarize_document": summarize_document,
}
