"""The commands by name; what a command needs is imported when it runs, so that `bot --help` is quick."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bot.cli.messages import EXIT_USAGE, LANGUAGES, program_version, say, without_language
from bot.process_end import end_process
from bot.text.problems import reading


def _install_completion(ctx: Any, option: Any, wanted: Any) -> None:
    if wanted and not ctx.resilient_parsing:
        from typer.completion import install  # type: ignore[attr-defined]  # seldom needed

        shell, file = install(prog_name="bot")
        typer.echo(say("message.completion", shell=shell, file=file))
        raise typer.Exit


class NearestGroup(TyperGroup):
    """A group that names the nearest command when it does not know one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        name = next(iter([*getattr(ctx, "_protected_args", []), *rest]), "")
        if name and not name.startswith("-") and name not in self.commands and not ctx.resilient_parsing:
            from bot.text.nearest import nearest  # rapidfuzz is slow to import, and seldom needed here

            near = nearest(name, self.commands, likeness=50)
            typer.secho(
                (
                    say("message.nearest", name=name, near=near[0])
                    if near
                    else say("message.unknown", name=name)
                ),
                fg="red",
                err=True,
            )
            raise typer.Exit(EXIT_USAGE)
        return rest

    def get_params(self, ctx: Any) -> list[Any]:
        """The options, those of typer for completion with help in the reader's language."""
        found: list[Any] = super().get_params(ctx)
        for option in found:
            if option.name in ("install_completion", "show_completion"):
                option.help = say(f"option.{option.name}")
            if option.name == "install_completion":
                option.callback = _install_completion
        return found

    def main(self, *args: Any, **options: Any) -> Any:
        """Run, and end the process: a call that cannot be understood is told in the reader's language, which
        `--lang` names anywhere in the call.
        """
        from bot.cli.usage import kinds, usage_words  # seldom needed

        given = args[0] if args else options.pop("args", None)
        rest, asked = without_language(sys.argv[1:] if given is None else given)
        if asked and asked not in LANGUAGES:
            typer.secho(say("message.bad_language", value=asked), fg="red", err=True)
            sys.exit(EXIT_USAGE)
        try:
            with reading(asked) if asked else contextlib.nullcontext():
                code = super().main(rest, *args[1:], **{**options, "standalone_mode": False})
        except typer.Abort:
            typer.secho(say("usage.aborted"), err=True)
            sys.exit(1)
        except Exception as error:
            if "NoArgsIsHelpError" in kinds(error) or "UsageError" not in kinds(error):
                if "ClickException" not in kinds(error):
                    raise
                error.show()  # type: ignore[attr-defined]
            else:
                typer.secho(usage_words(error), fg="red", err=True)
            sys.exit(EXIT_USAGE)
        sys.exit(code if isinstance(code, int) else 0)


def group(help: str) -> typer.Typer:
    return typer.Typer(
        cls=NearestGroup,
        help=help,
        no_args_is_help=True,
        add_completion=True,  # of the outermost group; the options are told in words of ours, see get_params
        context_settings={"color": False} if "NO_COLOR" in os.environ else None,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


app = group(say("app"))
kb = group(say("command.kb"))
db = group(say("command.db"))
config_ = group(say("command.config"))
app.add_typer(kb, name="kb")
app.add_typer(db, name="db")
app.add_typer(config_, name="config")
incident = group(say("command.incident"))
app.add_typer(incident, name="incident")
customers = group(say("command.customers"))
app.add_typer(customers, name="customers")
flows = group(say("command.flows"))
app.add_typer(flows, name="flows")
model = group(say("command.model"))
app.add_typer(model, name="model")

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help=say("option.config"))]
AsJson = Annotated[bool, typer.Option("--json", help=say("option.json"))]
DatabaseFile = Annotated[Path | None, typer.Option("--db", help=say("option.db"))]
Port = Annotated[int | None, typer.Option("--port", help=say("option.port"))]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(say("message.version", version=program_version()))
        raise typer.Exit


@app.callback()
def common(
    lang: Annotated[str, typer.Option("--lang", metavar="ru|en", help=say("option.lang"))] = "ru",
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help=say("option.version"))
    ] = False,
) -> None:
    pass


@app.command("init", help=say("command.init"))
def init_(
    folder: Annotated[Path, typer.Argument(help=say("option.init_folder"))] = Path(),
    name: Annotated[str | None, typer.Option("--name", help=say("option.init_name"))] = None,
    trade: Annotated[str | None, typer.Option("--trade", help=say("option.init_trade"))] = None,
    language: Annotated[str | None, typer.Option("--language", help=say("option.init_language"))] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help=say("option.init_timezone"))] = None,
    hours: Annotated[str | None, typer.Option("--hours", help=say("option.init_hours"))] = None,
    yes: Annotated[bool, typer.Option("--yes", help=say("option.init_yes"))] = False,
) -> None:
    from bot.cli import init as starting

    starting.init(folder, starting.InitAnswers(name, trade, language, timezone, hours), yes=yes)


@app.command(help=say("command.setup"))
def setup(
    folder: Annotated[Path, typer.Argument(help=say("option.init_folder"))] = Path(),
    port: Port = None,
    no_open: Annotated[bool, typer.Option("--no-open", help=say("option.no_open"))] = False,
) -> None:
    from bot.cli import run as running

    running.run_setup(folder, port=port, browser=not no_open)


@app.command(help=say("command.run"))
def run(
    config: ConfigFile = None,
    no_web: Annotated[bool, typer.Option("--no-web", help=say("option.no_web"))] = False,
    port: Port = None,
    roles: Annotated[str, typer.Option("--roles", help=say("option.roles"))] = "",
    replica: Annotated[str, typer.Option("--replica", help=say("option.replica"))] = "",
) -> None:
    from bot.cli import run as running

    running.run_channels(config, running.ProcessOptions(not no_web, port, roles, replica))


@app.command(help=say("command.play"))
def play(
    config: ConfigFile = None,
    port: Port = None,
    no_open: Annotated[bool, typer.Option("--no-open", help=say("option.no_open"))] = False,
    demo: Annotated[bool, typer.Option("--demo", help=say("option.demo"))] = False,
) -> None:
    from bot.cli import run as running

    if demo:
        running.run_demo(port=port, browser=not no_open)
        return
    running.run_playground(config, port=port, browser=not no_open)


@app.command(help=say("command.chat"))
def chat(config: ConfigFile = None) -> None:
    from bot.cli import run as running

    running.run_terminal(config)


@app.command(help=say("command.ask"))
def ask(
    text: Annotated[str | None, typer.Argument(help=say("option.text"))] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
    batch: Annotated[Path | None, typer.Option("--batch", help=say("option.batch"))] = None,
    language: Annotated[str, typer.Option("--language", help=say("option.language"))] = "",
) -> None:
    from bot.cli import ask as asking

    asking.ask(text, config, as_json=as_json, batch=batch, language=language)


@app.command(help=say("command.doctor"))
def doctor(config: ConfigFile = None, as_json: AsJson = False) -> None:
    from bot.cli import doctor as doctoring

    doctoring.examine(config, as_json=as_json)


@app.command(help=say("command.health"))
def health(config: ConfigFile = None, port: Port = None) -> None:
    from bot.cli import health as checking

    checking.check(config, port=port)


@app.command("test", help=say("command.test"))
def test(
    what: Annotated[Path | None, typer.Argument(help=say("option.questions"))] = None,
    config: ConfigFile = None,
    update: Annotated[bool, typer.Option("--update", help=say("option.update"))] = False,
    as_json: AsJson = False,
) -> None:
    from bot.cli import kb_tests

    kb_tests.run(what, config, update=update, as_json=as_json)


@app.command(help=say("command.report"))
def report(
    config: ConfigFile = None,
    first: Annotated[str, typer.Option("--from", help=say("option.report_from"))] = "",
    last: Annotated[str, typer.Option("--to", help=say("option.report_to"))] = "",
    week: Annotated[bool, typer.Option("--week", help=say("option.report_week"))] = False,
    as_json: AsJson = False,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help=say("option.report_xlsx"))] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help=say("option.report_csv"))] = None,
    database: Annotated[Path | None, typer.Option("--db", help=say("option.db"))] = None,
) -> None:
    from bot.cli import report as reporting

    days = reporting.ReportDays(first, last, week)
    reporting.report(config, days, reporting.ReportOutput(as_json, xlsx, csv), database=database)


@app.command(help=say("command.forecast"))
def forecast(
    config: ConfigFile = None,
    as_json: AsJson = False,
    database: Annotated[Path | None, typer.Option("--db", help=say("option.db"))] = None,
) -> None:
    from bot.cli import forecast as forecasting

    forecasting.forecast(config, as_json=as_json, database=database)


@app.command("eval", help=say("command.eval"))
def eval_(
    file: Annotated[Path | None, typer.Argument(help=say("option.cases"))] = None,
    config: ConfigFile = None,
    precision: Annotated[
        float, typer.Option("--precision", min=0.5, max=1, help=say("option.precision"))
    ] = 0.95,
    cost_wrong: Annotated[float, typer.Option("--cost-wrong", min=0, help=say("option.cost_wrong"))] = 10,
    cost_handoff: Annotated[
        float, typer.Option("--cost-handoff", min=0, help=say("option.cost_handoff"))
    ] = 3,
    cost_clarify: Annotated[
        float, typer.Option("--cost-clarify", min=0, help=say("option.cost_clarify"))
    ] = 1,
    chart: Annotated[list[Path] | None, typer.Option("--chart", help=say("option.chart"))] = None,
    by_cost: Annotated[bool, typer.Option("--by-cost", help=say("option.by_cost"))] = False,
    own: Annotated[bool, typer.Option("--own", help=say("option.own"))] = False,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help=say("option.own_days"))] = 28,
    write: Annotated[bool, typer.Option("--write", help=say("option.write"))] = False,
    as_json: AsJson = False,
    db: DatabaseFile = None,
) -> None:
    from bot.knowledge.quality.evaluation import Costs

    costs = Costs(cost_wrong, cost_handoff, cost_clarify)
    if own:
        from bot.cli.threshold_costs import OwnQuestions, evaluate_own

        evaluate_own(config, OwnQuestions(days, db), costs, write=write, as_json=as_json)
        return
    from bot.cli import evaluation as evaluating

    output = evaluating.EvaluationOutput(chart or [], write, as_json, by_cost)
    evaluating.evaluate(file, config, precision=precision, costs=costs, output=output)


Who = Annotated[str, typer.Option("--customer", help=say("option.customer"))]


@app.command(help=say("command.export"))
def export(
    customer: Who,
    config: ConfigFile = None,
    to: Annotated[Path | None, typer.Option("--to", help=say("option.backup_to"))] = None,
) -> None:
    from bot.cli import privacy

    privacy.export(config, customer, to)


@app.command(help=say("command.forget"))
def forget(
    customer: Who,
    config: ConfigFile = None,
    yes: Annotated[bool, typer.Option("--yes", help=say("option.sure"))] = False,
) -> None:
    from bot.cli import privacy

    privacy.forget(config, customer, yes=yes)


@incident.command("set", help=say("command.incident_set"))
def incident_set(
    text: Annotated[str, typer.Argument(help=say("option.incident_text"))],
    words: Annotated[list[str] | None, typer.Option("--words", help=say("option.incident_words"))] = None,
    config: ConfigFile = None,
) -> None:
    from bot.cli import outreach

    outreach.announce(config, text, words or [])


@incident.command("clear", help=say("command.incident_clear"))
def incident_clear(
    number: Annotated[int | None, typer.Argument(help=say("option.incident_number"))] = None,
    text: Annotated[str, typer.Option("--text", help=say("option.incident_over"))] = "",
    config: ConfigFile = None,
) -> None:
    from bot.cli import outreach

    outreach.clear(config, number, text)


@incident.command("show", help=say("command.incident_show"))
def incident_show(config: ConfigFile = None, as_json: AsJson = False) -> None:
    from bot.cli import outreach

    outreach.show(config, as_json=as_json)


@app.command("broadcast", help=say("command.broadcast"))
def broadcast(
    text: Annotated[str, typer.Argument(help=say("option.broadcast_text"))] = "",
    to: Annotated[str, typer.Option("--to", help=say("option.broadcast_to"))] = "",
    yes: Annotated[bool, typer.Option("--yes", help=say("option.sure"))] = False,
    stop: Annotated[str | None, typer.Option("--stop", help=say("option.broadcast_stop"))] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    from bot.cli import outreach

    if stop is not None:
        outreach.stop(config, stop)
        return
    outreach.broadcast(config, text, to, yes=yes, as_json=as_json)


@customers.command("import", help=say("command.customers_import"))
def customers_import(
    table: Annotated[Path, typer.Argument(help=say("option.table"), exists=True)], config: ConfigFile = None
) -> None:
    from bot.cli import customers

    customers.bring(config, table)


@customers.command("join", help=say("command.customers_join"))
def customers_join(
    customer: Annotated[str, typer.Argument(help=say("option.customer"))],
    other: Annotated[str, typer.Argument(help=say("option.customer"))],
    config: ConfigFile = None,
) -> None:
    from bot.cli import customers

    customers.join(config, customer, other)


@customers.command("part", help=say("command.customers_part"))
def customers_part(
    customer: Annotated[str, typer.Argument(help=say("option.customer"))], config: ConfigFile = None
) -> None:
    from bot.cli import customers

    customers.part(config, customer)


@customers.command("consents", help=say("command.customers_consents"))
def customers_consents(config: ConfigFile = None) -> None:
    from bot.cli import customers

    customers.consents(config)


@kb.command("ask", help=say("command.kb_ask"))
def kb_ask(
    text: Annotated[str, typer.Argument(help=say("option.text"))],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    from bot.cli import ask as asking

    asking.explain(text, config, as_json=as_json)


@kb.command("list", help=say("command.kb_list"))
def kb_list(config: ConfigFile = None, as_json: AsJson = False) -> None:
    from bot.cli import ask as asking

    asking.list_articles(config, as_json=as_json)


@kb.command("lint", help=say("command.kb_lint"))
def kb_lint(
    config: ConfigFile = None,
    strict: Annotated[bool, typer.Option("--strict", help=say("option.strict"))] = False,
    as_json: AsJson = False,
    form: Annotated[str, typer.Option("--format", help=say("option.format"))] = "text",
    everything: Annotated[bool, typer.Option("--all", help=say("option.all"))] = False,
    quick: Annotated[bool, typer.Option("--quick", help=say("option.quick"))] = False,
) -> None:
    from bot.cli import kb as editing

    editing.check(config, strict=strict, as_json=as_json, form=form, everything=everything, quick=quick)


@kb.command("preview", help=say("command.kb_preview"))
def kb_preview(
    article: Annotated[str, typer.Argument(help=say("option.article"))],
    config: ConfigFile = None,
    skin: Annotated[str | None, typer.Option("--skin", help=say("option.skin"))] = None,
) -> None:
    from bot.cli import kb as editing

    editing.show(article, config, skin=skin)


@kb.command("new", help=say("command.kb_new"))
def kb_new(
    title: Annotated[str, typer.Argument(help=say("option.title"))],
    config: ConfigFile = None,
    section: Annotated[str, typer.Option("--section", help=say("option.section"))] = "",
) -> None:
    from bot.cli import kb as editing

    editing.create(title, config, section=section)


@kb.command("stats", help=say("command.kb_stats"))
def kb_stats(config: ConfigFile = None, as_json: AsJson = False, db: DatabaseFile = None) -> None:
    from bot.cli import kb as editing

    editing.count(config, as_json=as_json, db=db)


@kb.command("suggest", help=say("command.kb_suggest"))
def kb_suggest(
    config: ConfigFile = None,
    as_json: AsJson = False,
    add: Annotated[
        tuple[str, str] | None, typer.Option("--add", metavar="GROUP ARTICLE", help=say("option.add"))
    ] = None,
    draft: Annotated[str, typer.Option("--draft", metavar="GROUP", help=say("option.draft"))] = "",
    section: Annotated[str, typer.Option("--section", help=say("option.section"))] = "",
    everything: Annotated[bool, typer.Option("--all", help=say("option.all_gaps"))] = False,
    db: DatabaseFile = None,
) -> None:
    from bot.cli import suggestions

    remedy = suggestions.GapRemedy(add, draft, section)
    suggestions.suggest(config, remedy, as_json=as_json, everything=everything, db=db)


@kb.command("examples", help=say("command.kb_examples"))
def kb_examples(
    config: ConfigFile = None,
    as_json: AsJson = False,
    accept: Annotated[list[str] | None, typer.Option("--accept", help=say("option.accept"))] = None,
    reject: Annotated[list[str] | None, typer.Option("--reject", help=say("option.reject"))] = None,
    to: Annotated[str, typer.Option("--to", help=say("option.example_to"))] = "",
    yes: Annotated[bool, typer.Option("--yes", help=say("option.anyway"))] = False,
    db: DatabaseFile = None,
) -> None:
    from bot.cli import examples

    choice = examples.ExampleDecision(accept or (), reject or (), to, yes)
    examples.suggest(config, choice, as_json=as_json, db=db)


@kb.command("diff", help=say("command.kb_diff"))
def kb_diff(
    config: ConfigFile = None,
    base: Annotated[str, typer.Option("--base", help=say("option.base"))] = "HEAD",
    as_json: AsJson = False,
    db: DatabaseFile = None,
) -> None:
    from bot.cli import suggestions

    suggestions.diff(config, base=base, as_json=as_json, db=db)


@kb.command("gate", help=say("command.kb_gate"))
def kb_gate(
    folder: Annotated[Path | None, typer.Argument(help=say("option.gate_folder"))] = None,
    config: ConfigFile = None,
    base: Annotated[str, typer.Option("--base", help=say("option.gate_base"))] = "",
    as_json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help=say("option.gate_all"))] = False,
    db: DatabaseFile = None,
) -> None:
    from bot.cli import gate

    gate.check(config, gate.GateRequest(folder, base, db), as_json=as_json, everything=everything)


@kb.command("import", help=say("command.kb_import"))
def kb_import(
    source: Annotated[Path, typer.Argument(help=say("option.source"), exists=True)],
    config: ConfigFile = None,
    section: Annotated[str, typer.Option("--section", help=say("option.section"))] = "",
    status: Annotated[str, typer.Option("--status", help=say("option.status"))] = "draft",
    dry: Annotated[bool, typer.Option("--dry-run", help=say("option.dry"))] = False,
) -> None:
    from bot.cli import kb_exchange

    kb_exchange.bring(source, config, section=section, status=status, dry=dry)


@kb.command("export", help=say("command.kb_export"))
def kb_export(
    target: Annotated[Path, typer.Argument(help=say("option.target"))], config: ConfigFile = None
) -> None:
    from bot.cli import kb_exchange

    kb_exchange.carry_out(target, config)


FlowName = Annotated[str, typer.Argument(help=say("option.flow"))]


@flows.command("check", help=say("command.flows_check"))
def flows_check(
    config: ConfigFile = None,
    strict: Annotated[bool, typer.Option("--strict", help=say("option.strict"))] = False,
    as_json: AsJson = False,
) -> None:
    from bot.cli import flows as flowing

    flowing.check(config, strict=strict, as_json=as_json)


@flows.command("list", help=say("command.flows_list"))
def flows_list(config: ConfigFile = None, as_json: AsJson = False) -> None:
    from bot.cli import flows as flowing

    flowing.list_flows(config, as_json=as_json)


@flows.command("show", help=say("command.flows_show"))
def flows_show(name: FlowName, config: ConfigFile = None) -> None:
    from bot.cli import flows as flowing

    flowing.show(config, name)


@flows.command("draw", help=say("command.flows_draw"))
def flows_draw(
    name: FlowName,
    config: ConfigFile = None,
    to: Annotated[Path | None, typer.Option("--to", help=say("option.diagram_to"))] = None,
) -> None:
    from bot.cli import flows as flowing

    flowing.draw(config, name, to)


@flows.command("send", help=say("command.flows_send"))
def flows_send(
    name: FlowName,
    to: Annotated[str, typer.Option("--to", help=say("option.broadcast_to"))] = "",
    yes: Annotated[bool, typer.Option("--yes", help=say("option.sure"))] = False,
    config: ConfigFile = None,
) -> None:
    from bot.cli import flows as flowing

    flowing.send(config, name, to, yes=yes)


@flows.command("results", help=say("command.flows_results"))
def flows_results(
    name: FlowName,
    config: ConfigFile = None,
    csv: Annotated[Path | None, typer.Option("--csv", help=say("option.answers_csv"))] = None,
    as_json: AsJson = False,
) -> None:
    from bot.cli import flows as flowing

    flowing.result(config, name, to=csv, as_json=as_json)


@db.command("migrate", help=say("command.db_migrate"))
def db_migrate(config: ConfigFile = None) -> None:
    from bot.cli import database

    database.migrate(config)


@db.command("backup", help=say("command.db_backup"))
def db_backup(
    to: Annotated[Path, typer.Argument(help=say("option.backup_to"))], config: ConfigFile = None
) -> None:
    from bot.cli import database

    database.backup(config, to)


@db.command("check", help=say("command.db_check"))
def db_check(config: ConfigFile = None, as_json: AsJson = False) -> None:
    from bot.cli import database

    database.check(config, as_json=as_json)


@db.command("move", help=say("command.db_move"))
def db_move(
    source: Annotated[str, typer.Argument(help=say("option.move_source"))],
    target: Annotated[str, typer.Argument(help=say("option.move_target"))],
    config: ConfigFile = None,
) -> None:
    from bot.cli import move

    move.move(config, source, target)


@config_.command("check", help=say("command.config_check"))
def config_check(config: ConfigFile = None) -> None:
    from bot.cli import kb as editing

    editing.check_settings(config)
    typer.echo(say("message.checked"))


@config_.command("reference", help=say("command.config_reference"))
def config_reference() -> None:
    from bot.cli import config_reference as reference

    typer.echo(reference.config_reference(), nl=False)


@model.command("prepare", help=say("command.model_prepare"))
def model_prepare(config: ConfigFile = None) -> None:
    from bot.cli import models

    models.prepare(config)


@model.command("pull", help=say("command.model_pull"))
def model_pull(
    name: Annotated[str, typer.Argument(help=say("option.model"))],
    folder: Annotated[Path, typer.Argument(help=say("option.model_folder"))],
) -> None:
    from bot.cli import models

    models.pull(name, folder)


def main() -> None:
    """The entry point `bot`."""
    try:
        app()
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        end_process(ended.code)
