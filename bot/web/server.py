"""The web server: health, webhooks and the pages, one aiohttp application that the composition root runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.errors import StorageError
from bot.knowledge.search import Knowledge
from bot.observability import get_logger
from bot.text.problems import reading
from bot.web.api.openapi import document
from bot.web.api.rest import ROOT, RestApi, failure
from bot.web.article_files import ArticleFiles
from bot.web.articles import ArticlePages
from bot.web.conversations import ConversationPages
from bot.web.customer_merge import CustomerMergePages
from bot.web.customers import CustomerPages
from bot.web.events import stream
from bot.web.examples import ExamplePages
from bot.web.figures import ServiceFigures
from bot.web.flow_pages import FlowPages
from bot.web.forecast import ForecastPages
from bot.web.gaps import GapPages
from bot.web.gate import GatePages
from bot.web.health import assistant_report, metrics_response, owing, report
from bot.web.ideas import IdeaPages
from bot.web.pages import HOME, Pages
from bot.web.playground.page import LARGEST, Playground
from bot.web.quality import QualityPages
from bot.web.replica_health import ReplicaHealth, replica_health
from bot.web.report import ReportPages
from bot.web.report_insights import InsightPages
from bot.web.security import Handler, PageSecurity
from bot.web.services import WebServices
from bot.web.setup_channels import SetupChannels
from bot.web.setup_group import SetupGroup
from bot.web.setup_pages import SetupContext, SetupPages
from bot.web.thresholds import ThresholdPages
from bot.web.ticket_orders import TicketOrders
from bot.web.user_pages import UserPages

VERSION = "1.0"  # of the REST API

__all__ = ["WebServices", "build_app"]


def build_app(services: WebServices) -> web.Application:
    """The application, ready to be run on `services.host`.

    Raises `ConfigError` when it would be open to others without a password. Streams end when the application
    shuts down.
    """
    guard = PageSecurity(
        secret=services.secret,
        host=services.host,
        store=services.store,
        password=services.password,
        clock=services.clock,
    )
    guard.ask_for(services.key)
    playground = Playground(services) if services.messengers else None
    pages = Pages(services, guard, playground)
    middlewares = [_in_language(pages), _answer_failures(pages), guard.middleware, _catch_up(services)]
    app = web.Application(middlewares=middlewares, client_max_size=LARGEST)
    app.on_response_prepare.append(guard.add_headers)
    _add_health(app, services)
    if services.health_only:
        return app
    for channel, hook in services.hooks.items():
        app.router.add_route("*", f"/hooks/{channel}", hook)
    app.router.add_routes(services.chats)
    app.router.add_get("/", pages.home)
    app.router.add_get("/queue", pages.queue)
    app.router.add_get("/kb", pages.articles)
    app.router.add_post("/kb/ask", pages.ask)
    app.router.add_get("/kb/{id:.+}", pages.article)
    app.router.add_get("/file/kb/{path:.+}", ArticleFiles(services).show)
    if isinstance(services.knowledge, Knowledge):
        _add_gaps(app, GapPages(services, pages, services.knowledge))
        _add_examples(app, ExamplePages(services, pages, services.knowledge))
        _add_articles(app, ArticlePages(services, pages, services.knowledge))
        _add_gate(app, GatePages(services, pages, services.knowledge))
        thresholds = ThresholdPages(services, pages, services.knowledge)
        app.router.add_get("/threshold", thresholds.show)
        app.router.add_post("/threshold/set", thresholds.set)
    _add_report(app, ReportPages(services, pages))
    _add_quality(app, QualityPages(services, pages))
    app.router.add_get("/conversations", ConversationPages(services, pages).show)
    orders = TicketOrders(services, pages)
    app.router.add_post("/conversation/{id}/order", orders.order)
    app.router.add_get("/conversation/{id}/file/{mark}", orders.files.show)
    app.router.add_get("/conversation/{id}/ready", orders.ready.find)
    _add_customers(app, services, pages)
    if services.rest is not None:
        _add_rest(app, services.rest, services.title)
    app.router.add_get("/login", pages.login)
    app.router.add_post("/login", pages.log_in)
    app.router.add_post("/logout", pages.log_out)
    insights = InsightPages(services, pages)
    app.router.add_get("/themes", insights.themes)
    app.router.add_get("/themes/file.csv", insights.themes_file)
    app.router.add_get("/coaching", insights.coaching)
    app.router.add_get("/coaching/file.csv", insights.coaching_file)
    app.router.add_get("/forecast", ForecastPages(services, pages).show)
    ideas = IdeaPages(services, pages)
    app.router.add_get("/ideas", ideas.show)
    app.router.add_get("/ideas/file.csv", ideas.file)
    app.router.add_post("/ideas/decide", ideas.decide)
    if services.flows is not None:
        _add_flows(app, FlowPages(services, pages))
    _add_users(app, UserPages(services, pages, guard))
    if services.setup is not None:
        _add_setup(app, SetupContext(services, pages, guard, services.setup))
    app.router.add_static("/static/", HOME / "static")
    app.router.add_get("/events", _events(services))
    if playground is not None:
        _add_playground(app, playground)
    app.on_shutdown.append(_end_streams(services))
    return app


def _add_gaps(app: web.Application, gaps: GapPages) -> None:
    app.router.add_get("/gaps", gaps.show)
    app.router.add_post("/gaps/add", gaps.add)
    app.router.add_post("/gaps/draft", gaps.draft)
    app.router.add_post("/gaps/assist", gaps.assist)
    for name, act in (("undo", gaps.undo), ("dismiss", gaps.dismiss), ("restore", gaps.restore)):
        app.router.add_post(f"/gaps/{name}", act)
    app.router.add_post("/gaps/tell", gaps.tell)


def _add_examples(app: web.Application, examples: ExamplePages) -> None:
    app.router.add_get("/examples", examples.show)
    for name, act in (("accept", examples.accept), ("reject", examples.reject), ("undo", examples.undo)):
        app.router.add_post(f"/examples/{name}", act)
    app.router.add_post("/examples/try", examples.try_out)


def _add_flows(app: web.Application, flows: FlowPages) -> None:
    app.router.add_get("/flows", flows.show_all)
    app.router.add_get("/flows/{name}", flows.show)
    app.router.add_get("/flows/{name}/answers.csv", flows.answers)
    app.router.add_post("/flows/{name}/send", flows.send)


def _add_articles(app: web.Application, articles: ArticlePages) -> None:
    app.router.add_get("/articles/edit", articles.edit)
    app.router.add_get("/articles/new", articles.new)
    app.router.add_get("/articles/history", articles.history)
    app.router.add_post("/articles/check", articles.check)
    app.router.add_post("/articles/try", articles.try_out)
    app.router.add_post("/articles/save", articles.save)
    app.router.add_post("/articles/plan", articles.plan)
    app.router.add_post("/articles/publish", articles.publish)
    app.router.add_post("/articles/publish/anyway", articles.publish_anyway)
    for name, act in (
        ("withdraw", articles.withdraw),
        ("discard", articles.discard),
        ("undo", articles.undo),
        ("attach", articles.add_file),
    ):
        app.router.add_post(f"/articles/{name}", act)


def _add_gate(app: web.Application, gate: GatePages) -> None:
    app.router.add_get("/gate", gate.show)
    app.router.add_get("/gate/state", gate.state)
    for name, act in (("run", gate.start), ("stop", gate.stop), ("allow", gate.allow)):
        app.router.add_post(f"/gate/{name}", act)
    app.on_shutdown.append(gate.close)


def _add_report(app: web.Application, report: ReportPages) -> None:
    app.router.add_get("/report", report.show)
    app.router.add_get("/report/list", report.list)
    app.router.add_get("/report/file.{kind:xlsx|csv}", report.file)
    app.router.add_get("/conversation/{id}", report.conversation)


def _add_quality(app: web.Application, quality: QualityPages) -> None:
    app.router.add_get("/quality", quality.show)
    app.router.add_post("/quality/decide", quality.decide)
    app.router.add_post("/quality/mystery", quality.mystery)
    app.router.add_get("/quality/{ticket}", quality.dialog)
    app.router.add_post("/quality/{ticket}", quality.review)


def _add_rest(app: web.Application, rest: RestApi, title: str) -> None:
    described = document(rest.routes, title, VERSION)

    async def openapi(request: web.Request) -> web.Response:
        return web.json_response(described)

    rest.add_to(app)
    app.router.add_get(f"{ROOT}/openapi.json", openapi)


def _add_setup(app: web.Application, frame: SetupContext) -> None:
    app.middlewares.append(frame.middleware)
    for part in (SetupPages(frame), SetupChannels(frame), SetupGroup(frame)):
        part.add_to(app)


def _add_users(app: web.Application, users: UserPages) -> None:
    app.router.add_get("/users", users.show)
    app.router.add_post("/users/save", users.save)
    app.router.add_post("/users/remove", users.remove)
    app.router.add_get("/audit", users.audit)
    app.router.add_post("/login/code", users.send_code)
    app.router.add_post("/login/enter", users.take_code)


def _add_customers(app: web.Application, services: WebServices, pages: Pages) -> None:
    customers = CustomerPages(services, pages)
    app.router.add_get("/customer/{id}", customers.show)
    app.router.add_post("/customer/{id}/fields", customers.change)
    app.router.add_get("/customer/{id}/data.json", customers.export)
    app.router.add_get("/customer/{id}/forget", customers.ask_to_forget)
    app.router.add_post("/customer/{id}/forget", customers.forget)
    merges = CustomerMergePages(services, pages, customers)
    app.router.add_get("/customer/{id}/merge", merges.show)
    app.router.add_post("/customer/{id}/merge", merges.merge)
    app.router.add_post("/customer/{id}/separate", merges.separate)


def _add_health(app: web.Application, services: WebServices) -> None:
    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(request: web.Request) -> web.Response:
        status = services.knowledge.status if services.knowledge else None
        body, code = await report(services.store, services.channels, status, services.stale, services.clock())
        if services.assistant_state is not None:  # it keeps nobody from being ready
            body["assistant"] = await assistant_report(services.assistant_state)
        return web.json_response(body, status=code)

    figures = ServiceFigures(services)

    async def metrics(request: web.Request) -> web.Response:
        store, now = services.store, services.clock()
        replica = ReplicaHealth(now, store.holder, store.shared)
        try:
            replica = await replica_health(store, services.channels, now)
            counts, counted, owed = await store.counts(), await figures.render(), await owing(store, now)
        except StorageError:
            counts, counted, owed = {}, b"", {}
        articles = services.knowledge.status.articles if services.knowledge else 0
        services.metrics.show_replica(replica)
        ours = {name: a for name, a in services.channels.items() if not replica.is_standby(name)}
        return metrics_response(services.metrics.render(counts, ours, articles, now, owed) + counted)

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


def _add_playground(app: web.Application, playground: Playground) -> None:
    app.router.add_get("/state", playground.state)
    app.router.add_get("/why/{turn}", playground.why)
    app.router.add_get("/file/{channel}/{ref}", playground.file)
    app.router.add_get("/story/{channel}/{chat}", playground.story)
    app.router.add_post("/say", playground.say)
    app.router.add_post("/edit", playground.edit)
    app.router.add_post("/press", playground.press)
    app.router.add_post("/happen", playground.happen)
    app.router.add_post("/upload", playground.upload)
    app.router.add_post("/customer", playground.customer)
    app.router.add_post("/reset", playground.reset)
    app.router.add_post("/clock", playground.set_clock)
    app.router.add_post("/scene", playground.scene)

    async def work(app: web.Application) -> AsyncIterator[None]:
        await playground.enter()
        task = asyncio.create_task(playground.work())
        yield
        await playground.close()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    app.cleanup_ctx.append(work)


def _events(services: WebServices) -> Handler:
    async def events(request: web.Request) -> web.StreamResponse:
        return await stream(request, services.hub)

    return events


def _end_streams(services: WebServices) -> Callable[[web.Application], Awaitable[None]]:
    async def end(app: web.Application) -> None:
        services.hub.close()

    return end


def _in_language(pages: Pages) -> Middleware:
    """What is said while a request is answered is in the language of its page; programs hear English."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        with reading("en" if request.path.startswith(f"{ROOT}/") else pages.language(request)):
            return await handler(request)

    return middleware


def _catch_up(services: WebServices) -> Middleware:
    """A page shows the incidents that last, also those that another process heard of: this one may decide
    nothing, and would not learn of them by its turns.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if is_page and services.catch_up is not None:
            await services.catch_up()
        return await handler(request)

    return middleware


def _answer_failures(pages: Pages) -> Middleware:
    """What goes wrong is answered in the form the caller reads: a page for people, JSON for scripts; never a
    traceback.
    """
    log = get_logger("web")

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400 or request.path.startswith(("/hooks/", "/chat/", "/static/")):
                raise
            status, text, headers = error.status, error.text or error.reason, error.headers
        except StorageError as error:
            log.error("storage_failed", path=request.path, error=str(error))
            status, text, headers = 503, "storage", None
        except (asyncio.CancelledError, ConnectionResetError):
            raise
        except Exception:
            log.exception("page_failed", path=request.path)
            status, text, headers = 500, "error", None
        kept = {k: v for k, v in (headers or {}).items() if k in ("WWW-Authenticate", "Retry-After", "Allow")}
        if request.path.startswith("/api/"):
            return failure(status, text, kept)
        if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            response = pages.failure(request, status, text)
        else:
            response = web.json_response({"error": text}, status=status)
        response.headers.update(kept)
        return response

    return answer
