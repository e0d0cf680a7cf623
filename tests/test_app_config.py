"""A config is read exactly, and each fault in one gives one line that names file, key and want."""

from importlib import resources
from pathlib import Path

import pytest

from crosswire import fixed
from crosswire.app import config
from crosswire.app.errors import ConfigError
from crosswire.domain import Transport
from crosswire.risk import BreakerRules
from tests.samples import S

GOOD = """
mode = "paper"
bot = "test"
[accounts.main]
venue = "kraken"
secret = "c2VjcmV0"
key = "public-half"
[strategies.ladder]
class = "market_making"
account = "main"
instrument = "BTC/USD"
levels = 3
spacing_bps = 4
[risk]
max_order_notional = "1000.5"
"""


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "bot.toml"
    file.write_text(text, encoding="utf-8")
    return file


def lines_of(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, text))
    return caught.value.lines


def test_a_good_file_is_read_with_its_strategys_own_parameters(tmp_path: Path) -> None:
    bot = config.load(write(tmp_path, GOOD))
    assert bot.mode == "paper"
    assert bot.risk.max_order_notional == fixed.parse("1000.5")
    assert bot.strategies["ladder"].class_name == "market_making"
    assert bot.strategies["ladder"].parameters() == {"levels": 3, "spacing_bps": 4}
    assert bot.journal.directory == tmp_path / "journal"


def test_paper_is_the_default_mode(tmp_path: Path) -> None:
    text = GOOD.replace('mode = "paper"\n', "")
    assert config.load(write(tmp_path, text)).mode == "paper"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'mode = "paper"',
            'mode = "papre"',
            "mode: expected one of sim, paper, testnet, live; got",
        ),
        ('mode = "paper"', 'mod = "paper"', 'mod: unknown key; did you mean "mode"?'),
        ('bot = "test"', "", "bot: expected a name of a-z"),
        ('bot = "test"', "bot = 7", "bot: expected a name of a-z"),
        (
            'venue = "kraken"',
            'venue = "krakn"',
            "venue: expected a venue's name: kraken, hyperliquid; did you",
        ),
        ("levels = 3", 'acount = "x"\n', ""),
        ('account = "main"', 'account = "man"', "strategies.ladder.account: expected one of main"),
        (
            '"1000.5"',
            "1000.5",
            'risk.max_order_notional: expected money such as "1000"; 1000.5 is a',
        ),
        ('"1000.5"', '"many"', '"many" is not a number'),
        ("max_order_notional", "max_ordr_notional", 'did you mean "max_order_notional"?'),
        ("[risk]", "[risks]", 'risks: unknown key; did you mean "risk"?'),
        ('key = "public-half"', 'kee = "public-half"', "accounts.main.kee: unknown key; did you"),
        ("[strategies.ladder]", "[strategies.ladder", "is not valid TOML"),
    ],
)
def test_each_fault_is_one_line_with_file_key_and_want(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    if not expected:  # an unknown strategy key is the strategy's own business, refused later
        bot = config.load(write(tmp_path, GOOD.replace(old, new)))
        assert "acount" in bot.strategies["ladder"].parameters()
        return
    (line,) = lines_of(tmp_path, GOOD.replace(old, new))
    assert line.startswith(str(tmp_path / "bot.toml") + ": ")
    assert expected in line
    assert "\n" not in line


def test_live_does_not_start_without_its_three_limits(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, GOOD.replace('"paper"', '"live"'))
    assert [line.split(": ")[1] for line in lines] == [
        "risk.max_position_notional",
        "risk.max_daily_loss",
    ]
    complete = GOOD.replace('"paper"', '"live"') + (
        'max_position_notional = "1"\nmax_daily_loss = 2\n'
    )
    assert config.load(write(tmp_path, complete)).risk.max_daily_loss == 2 * fixed.SCALE


def test_several_faults_give_several_lines(tmp_path: Path) -> None:
    text = GOOD.replace('bot = "test"', "").replace('"1000.5"', "true")
    assert len(lines_of(tmp_path, text)) == 2


def test_a_missing_file_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; `crosswire init` writes one"):
        config.load(tmp_path / "none.toml")


def test_secrets_come_from_text_variable_or_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    monkeypatch.setenv("THE_KEY", "from-env")
    text = GOOD.replace('secret = "c2VjcmV0"', f'secret_file = "{tmp_path}/secret"')
    text = text.replace('key = "public-half"', 'key_env = "THE_KEY"')
    found = config.credentials(config.load(write(tmp_path, text)).accounts["main"], "main")
    assert (found.key, found.secret) == ("from-env", "from-file")


def test_a_secret_that_is_not_there_is_named_by_its_key(tmp_path: Path) -> None:
    for old, expected in [
        ('secret_env = "NOT_SET_ANYWHERE"', "environment variable NOT_SET_ANYWHERE is not set"),
        ('secret_file = "/nowhere/at/all"', "the file cannot be read or is empty"),
        ("", "expected one of secret, secret_env, secret_file; none is given"),
        ('secret = " "', "is empty"),
    ]:
        bot = config.load(write(tmp_path, GOOD.replace('secret = "c2VjcmV0"', old)))
        with pytest.raises(ConfigError, match=expected):
            config.credentials(bot.accounts["main"], "main")


def test_two_sources_for_one_secret_are_refused(tmp_path: Path) -> None:
    text = GOOD.replace('secret = "c2VjcmV0"', 'secret = "a"\nsecret_env = "B"')
    assert "expected one of secret, secret_env" in lines_of(tmp_path, text)[0]


@pytest.mark.parametrize(
    "wrong",
    [
        'secret = ["TopSecret+/Value=="]',
        'secret_env = "TopSecret+/Value=="',
        'secrets = "TopSecret+/Value=="',
        'secret = "TopSecret+/Value=="\nsecret_env = "A"',
        'secret_file = ["TopSecret+/Value=="]',
        'secret = "TopSecret+/Value==" x',
    ],
)
def test_no_error_repeats_a_secret(tmp_path: Path, wrong: str) -> None:
    text = GOOD.replace('secret = "c2VjcmV0"', wrong)
    assert "TopSecret" not in "\n".join(lines_of(tmp_path, text))


def test_printing_a_config_hides_its_secrets(tmp_path: Path) -> None:
    bot = config.load(write(tmp_path, GOOD))
    shown = f"{bot!r} {bot} {config.credentials(bot.accounts['main'], 'main')!r}"
    assert "c2VjcmV0" not in shown
    assert "public-half" not in shown


def execution(tmp_path: Path, lines: str) -> config.ExecutionSection:
    return config.load(write(tmp_path, f"{GOOD}\n[execution]\n{lines}\n")).execution


def test_execution_and_reconcile_have_the_documented_defaults(tmp_path: Path) -> None:
    bot = config.load(write(tmp_path, GOOD))
    assert bot.execution.model_dump() == {
        "enabled": True,
        "timeout": 5 * S,
        "fallback_to_rest": True,
        "max_consecutive_failures": 5,
        "failure_cooldown": 60 * S,
        "request_timeout": 5 * S,
        "max_inflight": 100,
        "terminal_grace": 300 * S,
    }
    assert bot.reconcile.model_dump() == {
        "orders_every": 30 * S,
        "balances_every": 60 * S,
        "adopt_external": False,
    }


def test_an_account_may_have_its_own_bound_and_a_simulators_lag(tmp_path: Path) -> None:
    hosts = '[accounts.main.hosts]\nrest = "r"\nws = "w"\nws_private = "p"\nread_lag = "100 ms"'
    text = GOOD.replace("[strategies.", f"bound = 9\n{hosts}\n[strategies.", 1)
    account = config.load(write(tmp_path, text)).accounts["main"]
    assert account.bound == 9 * S
    assert account.hosts is not None
    assert account.hosts.read_lag == S // 10
    plain = config.load(write(tmp_path, GOOD)).accounts["main"]
    assert (plain.bound, plain.hosts) == (None, None)


def test_what_init_writes_says_the_defaults_of_both(tmp_path: Path) -> None:
    starter = Path(config.__file__).with_name("starter.toml").read_text(encoding="utf-8")
    bot = config.load(write(tmp_path, starter))
    for section in (bot.execution, bot.reconcile):
        assert section == type(section)()
        assert section.model_fields_set == set(type(section).model_fields)


@pytest.mark.parametrize(
    ("text", "expected_ns"),
    [
        ('"5 s"', 5 * S),
        ('"500 ms"', S // 2),
        ('"2 min"', 120 * S),
        ('"1 h"', 3_600 * S),
        ('"7s"', 7 * S),
        ("9", 9 * S),
    ],
)
def test_durations_are_a_number_with_a_unit_or_whole_seconds(
    tmp_path: Path, text: str, expected_ns: int
) -> None:
    assert execution(tmp_path, f"timeout = {text}").timeout == expected_ns


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ('"5"', '"5"'),
        ('"fast"', '"fast"'),
        ('"1.5 s"', '"1.5 s"'),
        ('"-5 s"', '"-5 s"'),
        ('"0 s"', '"0 s"'),
        ('"5 s or so"', '"5 s or so"'),
        ('"999999999 h"', '"999999999 h"'),
        ("0", "0"),
        ("-1", "-1"),
        ("5.0", "5.0"),
        ("true", "true"),
        ("[5]", "[5]"),
    ],
)
def test_a_bad_duration_is_one_clear_line(tmp_path: Path, text: str, got: str) -> None:
    (line,) = lines_of(tmp_path, f"{GOOD}\n[execution]\nfailure_cooldown = {text}\n")
    assert "execution.failure_cooldown: expected a duration above 0 such as " in line
    assert line.endswith(f"; got {got}")


def test_by_which_transports_orders_may_go(tmp_path: Path) -> None:
    def transports(lines: str, *offered: Transport) -> tuple[str, ...]:
        return execution(tmp_path, lines).breakers(offered or ("ws", "rest")).transports

    assert transports("") == ("ws", "rest")
    assert transports("fallback_to_rest = false") == ("ws",)
    assert transports("enabled = false") == ("rest",)
    assert transports("", "rest") == ("rest",)
    assert transports("enabled = false", "ws") == ()
    lines = 'max_consecutive_failures = 3\nfailure_cooldown = "9 s"'
    assert execution(tmp_path, lines).breakers(("ws", "rest")) == BreakerRules(
        ("ws", "rest"), 3, 9 * S
    )


ADDRESS = "0x" + "Ab" * 20
SIGNER = "0x" + "5e" * 32


def perps(*lines: str) -> str:
    """A bot whose account is an address."""
    return "\n".join(('bot = "b"', "[accounts.perps]", 'venue = "hyperliquid"', *lines))


def test_an_account_may_be_an_address_and_its_secret_the_signers_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNER", SIGNER[2:])
    for half in (f'address = "{ADDRESS}"', f'address = "{ADDRESS[2:]}"', f'key = "{ADDRESS}"'):
        bot = config.load(write(tmp_path, perps(half, 'secret_env = "SIGNER"', "resends = true")))
        found = config.credentials(bot.accounts["perps"], "perps")
        assert (found.key, found.secret) == (ADDRESS.lower(), SIGNER)
        assert bot.accounts["perps"].resends
        assert SIGNER[2:] not in f"{bot!r}{found!r}"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (('address = "me"', f'secret = "{SIGNER}"'), "perps.address: expected the account's add"),
        ((f'address = "{SIGNER}"', f'secret = "{SIGNER}"'), "perps.address: .*not a private key"),
        ((f'key = "{ADDRESS}0"', f'secret = "{SIGNER}"'), "perps.key: expected the account's"),
        ((f'address = "{ADDRESS}"', 'secret = "0x5e"'), "perps.secret: expected the signer's"),
        ((f'address = "{ADDRESS}"', f'secret = "{ADDRESS}"'), "perps.secret: .*not an address"),
        ((f'address = "{ADDRESS}"',), "perps.secret: expected one of secret, secret_env"),
        ((f'secret = "{SIGNER}"',), "perps.address: expected one of address, key, key_env"),
        (('address = ""', f'secret = "{SIGNER}"'), "perps.address: is empty"),
    ],
)
def test_what_cannot_be_such_a_login_is_one_line_that_shows_nothing(
    tmp_path: Path, lines: tuple[str, ...], expected: str
) -> None:
    bot = config.load(write(tmp_path, perps(*lines)))
    with pytest.raises(ConfigError, match=expected) as caught:
        config.credentials(bot.accounts["perps"], "perps")
    assert len(caught.value.lines) == 1
    assert SIGNER[2:] not in str(caught.value)


def test_an_address_is_for_venues_that_have_them(tmp_path: Path) -> None:
    text = GOOD.replace('key = "public-half"', f'address = "{ADDRESS}"')
    assert "address: kraken has none; expected key" in lines_of(tmp_path, text)[0]
    both = perps(f'address = "{ADDRESS}"', f'key = "{ADDRESS}"')
    assert "expected one of address, key" in lines_of(tmp_path, both)[0]


def test_the_starters_other_account_only_has_to_be_uncommented(tmp_path: Path) -> None:
    starter = resources.files("crosswire.app").joinpath("starter.toml").read_text("utf-8")
    head, example, rest = starter.partition("# [accounts.perps]")
    lines, gap, rest = rest.partition("\n\n")
    text = head + example[2:] + lines.replace("\n# ", "\n") + gap + rest
    account = config.load(write(tmp_path, text)).accounts["perps"]
    assert (account.venue, account.resends) == ("hyperliquid", False)
    assert account.address is not None
    assert account.secret_env
