"""The editor's pages: an article is written in fields or as its file, looked at as customers see it, saved as
a draft and published once it is known what that changes.
"""

from __future__ import annotations

import asyncio
import difflib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath

from aiohttp import web

from bot.adapters.sanitize import clean_text
from bot.article_editing import (
    ArticleEditing,
    OpenArticle,
    ReadDraft,
    SeenText,
    UnfitArticle,
    published,
    unfit,
)
from bot.article_history import EditorName
from bot.article_preview import WithDraft, messages
from bot.dialogs.offline_decision import OfflineDecision
from bot.errors import ConfigError, Problem
from bot.knowledge.articles.article_form import (
    ArticleForm,
    folder_of,
    form_from,
    form_of,
    new_text,
    with_form,
)
from bot.knowledge.articles.drafts import slug_of
from bot.knowledge.articles.file_upload import UnfitFile, markdown_of
from bot.knowledge.articles.schema import LANGUAGES, Article
from bot.knowledge.articles.writer import ArticleChanged, OutsideFolder, ReadOnlyArticles
from bot.knowledge.quality.lint.checks import lint_article
from bot.knowledge.search import Knowledge
from bot.model import Json
from bot.text.problems import problem_in
from bot.web.article_gate import PublishCheck, PublishGate, check_json
from bot.web.filled_words import filled
from bot.web.json_body import json_object
from bot.web.pages import Pages, answer_json, read_words
from bot.web.playground.skins import skins
from bot.web.security import USER
from bot.web.services import WebServices
from bot.web.users import users

LONGEST = 500_000  # characters of an article
VERSIONS = 200  # of the list
REASON = 300  # of why something is published that breaks a question
Act = Callable[["WrittenText", web.Request], Awaitable[Json]]


@dataclass(frozen=True, slots=True)
class WrittenText:
    """What an editor has on the page: the file's place ("" = a new one, which is `wished` there) and its
    text, and what they saw.
    """

    place: str
    wished: str
    text: str
    seen: SeenText
    data: Mapping[str, object]


class ArticlePages:
    """GET /articles/edit, /articles/new and /articles/history; POST /articles/check, /try, /save, /plan,
    /publish, /publish/anyway, /withdraw, /discard, /attach and /undo.

    A post answers 409 with both texts where somebody changed the file meanwhile.
    """

    def __init__(self, services: WebServices, pages: Pages, knowledge: Knowledge) -> None:
        self._services, self._pages, self._knowledge = services, pages, knowledge
        self._judge = services.judge or OfflineDecision(knowledge, services.words)
        self._editing = ArticleEditing(
            services.store, knowledge, services.clock, self._judge, services.golden, services.tell_reloaded
        )
        self._gate = PublishGate(services, knowledge, self._editing)

    # --- the page

    async def edit(self, request: web.Request) -> web.Response:
        """GET /articles/edit?file=dostavka/sroki.md: the article, or the draft of its change; a file that is
        not there is a new article of that name.
        """
        place = request.query.get("file", "")
        try:
            opened = await self._editing.open(place)
            if opened is not None and (version := request.query.get("version")):
                opened = await self._restored(opened, version)
        except OutsideFolder as error:
            raise web.HTTPNotFound(text="no such article") from error
        if opened is None and (version := request.query.get("version")):
            opened = await self._restored(OpenArticle(place, "", SeenText(), False), version)
        if opened is None:
            form = ArticleForm(section=folder_of(place), title=request.query.get("title", ""))
            language = next((part for part in place.split(".") if part in LANGUAGES), "ru")
            opened = OpenArticle(place, new_text(form, language, place), SeenText(), False)
        return self._show(request, opened)

    async def _restored(self, opened: OpenArticle, version: str) -> OpenArticle:
        """The article with the text of an old version, which is kept once it is saved or published."""
        text = await self._editing.history.text(opened.place, version)
        if text is None:
            raise web.HTTPNotFound(text="no such version")
        return replace(opened, text=text, restored=version)

    async def history(self, request: web.Request) -> web.Response:
        """GET /articles/history?file=dostavka/sroki.md&version=…: what the file held, step by step, and one
        version beside the present text.
        """
        place, wanted = request.query.get("file", ""), request.query.get("version", "")
        try:
            opened = await self._editing.open(place)
        except OutsideFolder as error:
            raise web.HTTPNotFound(text="no such article") from error
        versions = await self._editing.history.versions(place)
        if opened is None and not versions:
            raise web.HTTPNotFound(text="no such article")
        shown = next((v for v in versions if v.key == wanted), next(iter(versions), None))
        text = await self._editing.history.text(place, shown.key) if shown else None
        present = (opened.published or opened.text) if opened else ""
        people = await users(self._services.store)
        return self._pages.show(
            request,
            "article_history.html",
            "kb",
            place=place,
            heading=_title(opened) if opened else place,
            versions=versions[:VERSIONS],
            shown=shown,
            text=text,
            diff=_diff(text, present) if text is not None else (),
            names={u.actor: u.name for u in people.values()},
        )

    async def new(self, request: web.Request) -> web.Response:
        """GET /articles/new?section=dostavka&title=Сроки: an empty article; saving makes its file."""
        form = ArticleForm(
            section=request.query.get("section", ""),
            title=request.query.get("title", ""),
            questions=tuple(q for q in request.query.getall("question", []) if q.strip()),
        )
        text = new_text(form, self._pages.language(request), "new.md")
        return self._show(request, OpenArticle("", text, SeenText(), False))

    def _show(self, request: web.Request, opened: OpenArticle) -> web.Response:
        articles = self._knowledge.staff.articles()
        sections = {a.section for a in articles if a.section} | set(self._knowledge.sections)
        return self._pages.show(
            request,
            "article_editor.html",
            "kb",
            opened=json.dumps(_opened_json(opened), ensure_ascii=False),
            offset=self._pages.offset(),
            heading=_title(opened),
            sections=sorted(sections),
            section_names=self._pages.section_names(request),
            topics=sorted({a.topic for a in articles if a.topic}),
            anyway=self._may_anyway(request),
            twin=_twin(opened.place),
            ids=[(a.id, a.title) for a in articles],
        )

    def _may_anyway(self, request: web.Request) -> bool:
        return self._pages.may(request, "POST", "/articles/publish/anyway")

    # --- looking

    async def check(self, request: web.Request) -> web.Response:
        """POST /articles/check {file, source, form}: the text as it becomes, how it looks and what is worth
        mending; nothing is written.
        """
        written = await self._written(request)
        place = written.wished
        draft = await asyncio.to_thread(self._read, place, written.text)
        return web.json_response(
            {
                "text": written.text,
                "form": _form_json(written.text, place),
                "problems": self._problems(request, draft, written.text),
                "skins": await asyncio.to_thread(self._skins, draft),
                **(await self._conflict(request, written) if written.place else {}),
            }
        )

    async def try_out(self, request: web.Request) -> web.Response:
        """POST /articles/try {file, source, form, question}: what the bot would say with the draft published;
        `now` is what it says today.
        """
        written, words = await self._written(request), self._words(request)
        question = str(written.data.get("question") or "").strip()
        if not question or len(question) > 1000:
            raise web.HTTPBadRequest(text=words["art_no_question"])
        place = written.wished

        def asked() -> Json:
            draft = self._read(place, written.text)
            answer = self._judge.over(self._editing.trial(draft))(question)
            mine = draft.article is not None and answer.article == draft.article.id
            title = self._knowledge.article(answer.article or "")
            shown = draft.article.title if mine and draft.article else title.title if title else ""
            return {
                **answer_json(answer),
                "mine": mine,
                "title": shown,
                "now": answer_json(self._judge(question)),
            }

        return web.json_response(await asyncio.to_thread(asked), dumps=_dumps)

    def _read(self, place: str, text: str) -> ReadDraft:
        try:
            return self._editing.read(place, text)
        except OutsideFolder as error:
            raise web.HTTPBadRequest(text="no place for an article") from error

    def _skins(self, draft: ReadDraft) -> Json:
        """By language, then by skin: the article and, where there is one, its twin."""
        article, texts = draft.article, self._services.words
        if article is None or texts is None:
            return {}
        family = {article.id, article.twin_of}
        found = [article, *(a for a in draft.others if a.twin_of in family or a.id in family)]
        shown: dict[str, Json] = {}
        for one in found:
            if one.lang not in shown and one.id and (one is article or one.status == "published"):
                source = WithDraft(self._knowledge.staff, one, one.id)
                drawn = skins(texts, source, one.id, self._services.clock(), one.lang)
                shown[one.lang] = dict(drawn)
        return shown

    def _problems(self, request: web.Request, draft: ReadDraft, text: str) -> list[Json]:
        language = self._pages.language(request)
        found: Sequence[Problem] = [problem_in(p, language) for p in draft.problems]
        blocking = [problem_in(p, language) for p in unfit(draft)]
        if draft.article is not None:
            found = [*found, *self._lint(draft.article, text)]
        body = text.count("\n", 0, _body_start(text)) if text.startswith("---") else 0
        return [
            {
                "severity": p.severity,
                "blocks": p in blocking,
                "code": p.code,
                "text": p.text,
                "hint": p.hint,
                "line": p.line,
                "row": p.line - body if p.line > body else 0,
            }
            for p in dict.fromkeys(found)
        ]

    def _lint(self, article: Article, text: str) -> Sequence[Problem]:
        return lint_article(
            article,
            text,
            self._knowledge,
            today=self._knowledge.today(),
            messages=messages,
            tone=self._services.tone,
        )

    # --- writing

    async def save(self, request: web.Request) -> web.Response:
        """POST /articles/save {file, source, form, seen}: keep it as a draft; the bot serves it not. A repeat
        changes nothing.
        """

        async def save(written: WrittenText, request: web.Request) -> Json:
            place = written.place or self._free(written)
            opened = await self._editing.save(place, written.text, written.seen, _by(request))
            return {**_opened_json(opened), "said": self._words(request)["art_saved"]}

        return await self._write(request, save)

    async def plan(self, request: web.Request) -> web.Response:
        """POST /articles/plan {file, source, form, seen}: what publishing would change; nothing is
        written.
        """

        async def plan(written: WrittenText, request: web.Request) -> Json:
            place = written.place or self._free(written)
            opened = await self._editing.open(place)
            if changed := await self._editing.changed(place, written.seen):
                raise changed
            text = published(written.text)
            draft = await asyncio.to_thread(self._read, place, text)
            check = await self._checked(draft, self._words(request))
            old = (opened.published if opened else None) or ""
            return {
                "place": place,
                "new": not old,
                "diff": _diff(old, text),
                "problems": self._problems(request, draft, text),
                "anyway": self._may_anyway(request),
                **check_json(check, self._words(request)),
            }

        return await self._write(request, plan)

    async def publish(self, request: web.Request) -> web.Response:
        """POST /articles/publish {file, source, form, seen}: the bot answers with it from now on.

        Nothing is written where a question would come right no more: that is answered with 409 and `broken`.
        """
        return await self._write(request, self._published)

    async def publish_anyway(self, request: web.Request) -> web.Response:
        """POST /articles/publish/anyway {…, reason}: the same, whatever it breaks; the reason is kept."""
        return await self._write(request, self._published)

    async def _published(self, written: WrittenText, request: web.Request) -> Json:
        words, anyway = self._words(request), request.path.endswith("/anyway")
        place = written.place or self._free(written)
        reason = " ".join(str(written.data.get("reason") or "").split())[:REASON]
        if anyway and not reason:
            raise web.HTTPBadRequest(text=words["art_no_reason"])
        draft = await asyncio.to_thread(self._read, place, published(written.text))
        check = await self._checked(draft, words)
        if check.held and not anyway:
            return {"refused": words["art_breaks"], **check_json(check, words)}
        facts = {"broken": len(check.effect.broken), **({"reason": reason} if anyway else {})}
        try:
            undo = await self._editing.publish(place, written.text, written.seen, _by(request), **facts)
        except UnfitArticle as error:
            faults = "; ".join(p.text for p in error.problems[:3])
            raise web.HTTPConflict(text=filled(words["art_not_fit"], faults=faults)) from error
        opened = await self._editing.open(place)
        assert opened is not None
        return {**_opened_json(opened), "said": words["art_published"], "undo": undo}

    async def withdraw(self, request: web.Request) -> web.Response:
        """POST /articles/withdraw {file, seen}: back to a draft; the bot answers with it no more."""

        async def withdraw(written: WrittenText, request: web.Request) -> Json:
            undo = await self._editing.withdraw(written.place, written.seen, _by(request))
            opened = await self._editing.open(written.place)
            assert opened is not None
            return {**_opened_json(opened), "said": self._words(request)["art_withdrawn"], "undo": undo}

        return await self._write(request, withdraw)

    async def discard(self, request: web.Request) -> web.Response:
        """POST /articles/discard {file, seen}: the draft goes; what is published stays."""

        async def discard(written: WrittenText, request: web.Request) -> Json:
            undo = await self._editing.discard(written.place, written.seen, _by(request))
            opened = await self._editing.open(written.place)
            left: Json = _opened_json(opened) if opened else {"gone": True}
            return {**left, "said": self._words(request)["art_discarded"], "undo": undo}

        return await self._write(request, discard)

    async def add_file(self, request: web.Request) -> web.Response:
        """POST /articles/attach?file=…&name=… with the bytes: a picture, a PDF or a video of the article, and
        the words that show it.
        """
        words, place = self._words(request), request.query.get("file", "")
        name, section = request.query.get("name", ""), request.query.get("section", "")
        try:
            kept = await self._editing.add_file(place, name, await request.read(), _by(request))
        except web.HTTPRequestEntityTooLarge as error:
            raise web.HTTPBadRequest(text=words["art_file_large"]) from error
        except UnfitFile as error:
            raise web.HTTPBadRequest(text=words[f"art_file_{error.code}"]) from error
        except ReadOnlyArticles as error:
            raise web.HTTPConflict(text=filled(words["gaps_unwritable"], reason=str(error))) from error
        said = re.sub(r"[-_]+", " ", PurePosixPath(name.replace("\\", "/")).stem)
        beside = place or f"{section}/new.md".lstrip("/")
        return web.json_response({"markdown": markdown_of(kept, beside, said), "place": kept})

    async def undo(self, request: web.Request) -> web.Response:
        """POST /articles/undo {change}: the files as they were before a step. Once; then it is not found."""
        words, data = self._words(request), await json_object(request, "{file, source}")
        try:
            place = await self._editing.undo(str(data.get("change") or ""), _by(request))
        except ReadOnlyArticles as error:
            raise web.HTTPConflict(text=words["gaps_no_undo"]) from error
        if not place:
            raise web.HTTPNotFound(text=words["gaps_no_undo"])
        opened = await self._editing.open(place)
        left: Json = _opened_json(opened) if opened else {"gone": True}
        return web.json_response({**left, "said": words["gaps_undone"]})

    async def _write(self, request: web.Request, act: Act) -> web.Response:
        words, written = self._words(request), await self._written(request)
        try:
            return web.json_response(await act(written, request))
        except ArticleChanged as error:
            return web.json_response(await self._conflict(request, written, error), status=409)
        except OutsideFolder as error:
            raise web.HTTPBadRequest(text=words["gaps_outside"]) from error
        except ReadOnlyArticles as error:
            raise web.HTTPConflict(text=filled(words["gaps_unwritable"], reason=str(error))) from error

    async def _conflict(
        self, request: web.Request, written: WrittenText, changed: ArticleChanged | None = None
    ) -> Json:
        """Both texts where the file is not as the page knows it, and what is on the disk now."""
        changed = changed or await self._editing.changed(written.place, written.seen)
        if changed is None:
            return {}
        opened = await self._editing.open(written.place) if written.place else None
        theirs = (changed.current or b"").decode("utf-8", "replace")
        return {
            "error": self._words(request)["art_changed"],
            "conflict": {"theirs": theirs, "mine": written.text, "gone": changed.current is None},
            "now": asdict(opened.seen if opened else SeenText()),
        }

    # --- inside

    async def _written(self, request: web.Request) -> WrittenText:
        """The text that the page has: its source with what stands in the fields."""
        data, words = await json_object(request, "{file, source}"), self._words(request)
        place, text, seen = str(data.get("file") or ""), str(data.get("source") or ""), data.get("seen")
        text, wished = re.sub(r"\r\n?", "\n", text), place
        try:
            if isinstance(sent := data.get("form"), Mapping):
                form = form_from(sent)
                wished = place or _new_place(form)
                text = with_form(text, form, place or f"{form.section}/new.md".lstrip("/"))
            wished = wished or _new_place(form_of(text, "new.md"))
        except ValueError as error:
            raise web.HTTPBadRequest(text=words["art_bad_head"]) from error
        if len(text := clean_text(text)) > LONGEST:
            raise web.HTTPRequestEntityTooLarge(max_size=LONGEST, actual_size=len(text))
        known = seen if isinstance(seen, Mapping) else {}
        return WrittenText(
            place, wished, text, SeenText(str(known.get("file") or ""), str(known.get("draft") or "")), data
        )

    def _free(self, written: WrittenText) -> str:
        """Where a new article goes."""
        section, _, name = written.wished.rpartition("/")
        return self._editing.free_place(section, name)

    async def _checked(self, draft: ReadDraft, words: Mapping[str, str]) -> PublishCheck:
        try:
            return await self._gate.check(draft)
        except ConfigError as error:
            raise web.HTTPConflict(text=filled(words["examples_bad_golden"], reason=str(error))) from error

    def _words(self, request: web.Request) -> Mapping[str, str]:
        return read_words(self._pages.language(request))


def _twin(place: str) -> str:
    """Where the article in the other language is or goes: beside it, with the language in its name."""
    stem, dot, suffix = place.rpartition(".")
    if not dot:
        return ""
    base, _, language = stem.rpartition(".")
    if language in LANGUAGES and base:
        return f"{base}.{suffix}"
    return f"{stem}.en.{suffix}"


def _new_place(form: ArticleForm) -> str:
    """Where a new article goes: its section is the folder, its title the name."""
    folders = [part.strip(" ._") for part in re.sub(r"[^\w /.-]", "", form.section).split("/")]
    return "/".join([*(part for part in folders if part), f"{slug_of(form.title)}.md"])


def _opened_json(opened: OpenArticle) -> Json:
    return {
        "file": opened.place,
        "text": opened.text,
        "form": _form_json(opened.text, opened.place or "new.md"),
        "seen": asdict(opened.seen),
        "served": opened.served,
        "published": opened.published,
        "overtaken": opened.overtaken,
        "restored": opened.restored,
    }


def _form_json(text: str, place: str) -> Json | None:
    try:
        return asdict(form_of(text, place))
    except ValueError:
        return None


def _diff(before: str, after: str) -> list[tuple[str, str]]:
    """The lines that go and come, each with its sign; "…" stands for what stays."""
    rows: list[tuple[str, str]] = []
    for row in list(difflib.unified_diff(before.split("\n"), after.split("\n"), n=2, lineterm=""))[2:]:
        rows.append(("…", "") if row.startswith("@@") else (row[0], row[1:]))
    return rows[1:] if rows[:1] == [("…", "")] else rows


def _title(opened: OpenArticle) -> str:
    try:
        return form_of(opened.text, opened.place or "new.md").title
    except ValueError:
        return opened.place


def _body_start(text: str) -> int:
    found = re.search(r"^(?:---|\.\.\.)[ \t]*$", text[4:], re.MULTILINE)
    return 4 + found.end() + 1 if found else 0


def _by(request: web.Request) -> EditorName:
    return EditorName(request[USER].actor, request[USER].name)


def _dumps(value: object) -> str:
    return json.dumps(value, default=str)
