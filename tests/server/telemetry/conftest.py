"""The wire in this process, and a reader of what Prometheus would see."""

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.fakes.served import calling, serving
from tests.server.protocol.conftest import Wire


class Scrape:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        """Return a number; None when there is none of that name with these labels."""
        return self.samples.get((name, frozenset(labels.items())))

    @property
    def names(self) -> set[str]:
        """Return the names of all samples."""
        return {name for name, _ in self.samples}


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with serving(fresh_dsn) as app, calling(app) as http:
        yield Wire(app, http)


async def scraped(http: httpx.AsyncClient) -> Scrape:
    """Ask as Prometheus does."""
    answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return Scrape(answer.text)
