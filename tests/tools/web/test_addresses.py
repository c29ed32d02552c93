"""Only what is public is called, however it is written, and it is looked up once."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.web.addresses import Guard, Kind, Unreachable, kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.1.1.1", "public"),
        ("2606:4700::1111", "public"),
        ("64:ff9b::1.1.1.1", "public"),  # how an IPv6-only network calls an IPv4 host
        ("::ffff:1.1.1.1", "public"),
        ("127.0.0.1", "here"),
        ("127.9.9.9", "here"),
        ("0.0.0.0", "here"),
        ("::", "here"),
        ("::1", "here"),
        ("::ffff:127.0.0.1", "here"),
        ("64:ff9b::127.0.0.1", "here"),
        ("2002:7f00:1::", "here"),
        ("::127.0.0.1", "here"),
        ("::ffff:0:127.0.0.1", "here"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("192.168.0.1", "private"),
        ("169.254.169.254", "private"),  # metadata of AWS, Google, Azure …
        ("100.100.100.200", "private"),  # of Alibaba, among the CGNAT addresses
        ("192.0.0.192", "private"),  # of Oracle
        ("168.63.129.16", "private"),  # of Azure, among the public ones
        ("fd00:ec2::254", "private"),  # of AWS
        ("100.64.0.1", "private"),
        ("0.1.2.3", "private"),
        ("192.0.2.1", "private"),
        ("192.88.99.1", "private"),
        ("198.18.0.1", "private"),
        ("240.0.0.1", "private"),
        ("255.255.255.255", "private"),
        ("fe80::1", "private"),
        ("fec0::1", "private"),
        ("fc00::1", "private"),
        ("2001:db8::1", "private"),
        ("3fff::1", "private"),
        ("5f00::1", "private"),
        ("64:ff9b:1::1.1.1.1", "private"),
        ("64:ff9b::169.254.169.254", "private"),
        ("::ffff:169.254.169.254", "private"),
        ("2002:a9fe:a9fe::", "private"),
        ("2002:0101:0101::", "private"),  # a tunnel, even to a public address
        ("2001:0:101:101:0:0:fefe:fefe", "private"),
        ("::1.1.1.1", "private"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("::ffff:224.0.0.1", "multicast"),
    ],
)
def test_an_address_is_what_it_is_however_it_is_written(text: str, expected: Kind) -> None:
    assert kind(ip_address(text)) == expected


@given(st.ip_addresses(v=4))
def test_no_way_of_writing_it_makes_an_ipv4_address_public(address: IPv4Address) -> None:
    number = int(address)
    carried = [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | number << 80),
        IPv6Address(0x20010000 << 96 | (number ^ 0xFFFF_FFFF)),
        IPv6Address(number),
    ]
    if kind(address) != "public":
        assert all(kind(each) != "public" for each in carried)


def knowing(*addresses: str) -> Guard:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return Guard(resolve=resolve)


async def test_one_address_that_may_not_be_called_spoils_the_others() -> None:
    assert await knowing("1.1.1.1", "::ffff:1.0.0.1").addresses("a.example", 80) == (
        IPv4Address("1.1.1.1"),
        IPv4Address("1.0.0.1"),
    )
    with pytest.raises(Unreachable, match=r"'a\.example' is in a private or reserved range \(10\.0\.0\.1\)"):
        await knowing("1.1.1.1", "10.0.0.1").addresses("a.example", 80)
    with pytest.raises(Unreachable, match="this very machine"):
        await knowing("::1%lo").addresses("a.example", 80)
    with pytest.raises(Unreachable, match="has no address"):
        await knowing().addresses("a.example", 80)


async def test_what_nobody_knows_is_said_to_be_unknown() -> None:
    async def failing(host: str, port: int) -> Sequence[str]:
        raise TimeoutError

    with pytest.raises(Unreachable, match="not known here"):
        await Guard(resolve=failing).addresses("a.example", 80)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost"])
async def test_the_system_reads_odd_spellings_and_the_guard_what_it_read(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def system(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]  # as getaddrinfo reads all of these

    with pytest.raises(Unreachable, match="this very machine"):
        await Guard(resolve=system).addresses(host, 80)
