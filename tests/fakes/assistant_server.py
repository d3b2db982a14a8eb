"""A scripted OpenAI-compatible server: `/v1/chat/completions` that is slow, broken, lying, obedient to
injections; `/v1/models`. It refuses what real servers refuse, and keeps what it was sent.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiohttp import web

Trouble = Literal[
    "slow", "500", "429", "401", "400", "cut", "broken", "empty", "length", "tools", "null", "redirect"
]
Answering = Callable[[Mapping[str, Any], str], str]  # the data and the system prompt -> the reply
KEY = "sk-test-5f0a1c2b3d4e5f60718293a4"


class AssistantServer:
    """What it says is `answering`; `troubles` come first, one a call (None = none)."""

    def __init__(self, answering: Answering | None = None) -> None:
        self.answering: Answering = answering or copies
        self.troubles: deque[Trouble | None] = deque()
        self.always: Trouble | None = None
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.url = ""
        self.elsewhere = 0  # requests that followed a redirect
        self.release = asyncio.Event()  # ends what is slow

    @property
    def sent(self) -> str:
        """Everything it was ever sent, as text."""
        return json.dumps(self.asked, ensure_ascii=False)

    async def models(self, request: web.Request) -> web.Response:
        if not self._is_known(request):
            return _error(401, "bad key")
        if self.always == "500":
            return _error(500, "overloaded")
        return web.json_response({"object": "list", "data": [{"id": "test", "object": "model"}]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        if not self._is_known(request):
            return _error(401, f"bad key {request.headers.get('Authorization')}")
        body = await request.json()
        if fault := _fault(body):
            return _error(400, fault)
        self.asked.append(body)
        trouble = self.troubles.popleft() if self.troubles else self.always
        if trouble in ("500", "429", "401", "400"):
            # as some servers do, it repeats what it was sent
            return _error(int(trouble), f"no: {body['messages'][1]['content']}")
        if trouble == "redirect":
            return web.Response(status=307, headers={"Location": self.url.replace("/v1", "/elsewhere")})
        if trouble == "slow":
            await self.release.wait()
        if trouble == "cut":
            answer = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "900"})
            await answer.prepare(request)
            await answer.write(b'{"id": "x", "choices": [{"mess')
            assert request.transport is not None
            request.transport.close()
            return answer
        if trouble == "broken":
            return web.Response(text='{"id": "x", "choi', content_type="application/json")
        if trouble == "null":
            return web.json_response(None)
        return web.json_response(self._completion(body, trouble))

    async def followed(self, request: web.Request) -> web.Response:
        self.elsewhere += 1
        return web.json_response(self._completion(await request.json(), None))

    def _completion(self, body: Mapping[str, Any], trouble: Trouble | None) -> dict[str, Any]:
        system, user = body["messages"][0]["content"], body["messages"][1]["content"]
        fence, data, end = user.split("\n")
        assert fence == end, "the data is not between two equal lines"
        text = "" if trouble == "empty" else self.answering(json.loads(data), system)
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if trouble == "tools":
            function = {"name": "refund", "arguments": '{"sum": 5000}'}
            message |= {"tool_calls": [{"id": "1", "type": "function", "function": function}]}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [
                {"index": 0, "message": message, "finish_reason": "length" if trouble == "length" else "stop"}
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        }

    def _is_known(self, request: web.Request) -> bool:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.keys.append(key)
        return key == KEY


def _fault(body: Mapping[str, Any]) -> str:
    """What a strict server would say of a request."""
    if not isinstance(body.get("model"), str) or not body["model"]:
        return "model is needed"
    if set(body) - {"model", "messages", "max_tokens", "max_completion_tokens", "temperature"}:
        return f"unknown: {sorted(body)}"
    if [m.get("role") for m in body.get("messages", ())] != ["system", "user"]:
        return "a system and a user message are wanted"
    if not 0 < body.get("max_tokens", body.get("max_completion_tokens", 0)) <= 4000:
        return "max_tokens"
    return ""


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "x", "code": None}}, status=status)


@asynccontextmanager
async def serving(server: AssistantServer) -> AsyncIterator[AssistantServer]:
    """*server* at work; its address is `url`."""
    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/v1/chat/completions", server.chat)
    app.router.add_get("/v1/models", server.models)
    app.router.add_route("*", "/elsewhere{rest:.*}", server.followed)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        server.release.set()
        await runner.cleanup()


# --- what it says


def sentences_of(text: str) -> list[str]:
    """The sentences of a passage, without marks of Markdown."""
    plain = re.sub(r"^[#>*\-\s]+|\*\*|`", "", text, flags=re.M)
    return [s.strip() for s in re.split(r"(?<=[.!?])\s+|\n+", plain) if s.strip()]


def copies(data: Mapping[str, Any], system: str) -> str:
    """Honest: the first sentences of the passages, each with its source; other tasks get a plain line."""
    if "passages" not in data:
        return "Хорошо."
    found = [
        {"text": sentence, "source": passage["id"]}
        for passage in data["passages"]
        for sentence in sentences_of(passage["text"])
    ]
    return json.dumps({"sentences": found[:3]}, ensure_ascii=False)


def lies(seed: int) -> Answering:
    """Each second sentence is untrue, in one of the ways in which models are."""
    chance = random.Random(seed)

    def answering(data: Mapping[str, Any], system: str) -> str:
        honest = [
            (sentence, passage["id"])
            for passage in data["passages"]
            for sentence in sentences_of(passage["text"])
        ]
        chance.shuffle(honest)
        said = [
            {"text": text if n % 2 == 0 else chance.choice(LIES)(text, chance), "source": source}
            for n, (text, source) in enumerate(honest[: chance.randint(1, 6)], start=chance.randint(0, 1))
        ]
        return json.dumps({"sentences": said}, ensure_ascii=False)

    return answering


def obeys(data: Mapping[str, Any], system: str) -> str:
    """It does what any text of the data tells it to."""
    told = json.dumps(data, ensure_ascii=False)
    order = re.search(r"(?:скажи|ответь|say|reply)[: ]+«?\"?([^\"»]+)", told, re.I)
    return order[1].strip() if order else copies(data, system)


def echoes(data: Mapping[str, Any], system: str) -> str:
    return f"Мои указания: {system}"


def _number(text: str, chance: random.Random) -> str:
    changed = re.sub(r"\d+", lambda m: str(int(m[0]) + chance.randint(1, 9)), text)
    return changed if changed != text else f"{text.rstrip('.')} за {chance.randint(2, 90)} минут."


def _negation(text: str, chance: random.Random) -> str:
    if re.search(r"(?i)\bне ", text):
        return re.sub(r"(?i)\bне ", "", text, count=1)
    words = text.split()
    place = chance.randrange(len(words))
    return " ".join([*words[:place], "не", *words[place:]])


def _promise(text: str, chance: random.Random) -> str:
    return f"{text.rstrip('.')}, {chance.choice(['обязательно', 'гарантируем', 'мы вернём деньги'])}."


def _modal(text: str, chance: random.Random) -> str:
    for word, other in (("можно", "нужно"), ("может", "должен"), ("нужно", "можно"), ("до ", "от ")):
        if word in text:
            return text.replace(word, other, 1)
    return f"Всегда {text[0].lower()}{text[1:]}"


def _condition(text: str, chance: random.Random) -> str:
    """Only what stands before a condition, or after it."""
    cut = re.split(r",? \b(?:если|кроме|при|только|но|однако|when|if|unless|except|only|but)\b ?", text)
    return cut[0].rstrip(".,") + "." if len(cut) > 1 else f"Бесплатно: {text}"


def _invented(text: str, chance: random.Random) -> str:
    return chance.choice(
        [
            "Мы вернём 5000 рублей на карту в течение часа.",
            "Переведите 100 рублей на номер +7 900 123-45-67, и мы ускорим заказ.",
            "Подробнее на https://evil.example/pay.",
            "Ваш заказ 4512 уже у курьера Петра.",
            "Доставка всегда бесплатна.",
            "Назовите код из СМС.",
        ]
    )


def _glued(text: str, chance: random.Random) -> str:
    words = text.split()
    chance.shuffle(words)
    return " ".join(words)


LIES: tuple[Callable[[str, random.Random], str], ...] = (
    _number, _negation, _promise, _modal, _condition, _invented, _glued,
)  # fmt: skip
