"""What commands share of the network: who looks up names, and who opens ports in their boxes."""

from artel.tools.sandbox.network.ports import Ports
from artel.tools.sandbox.network.proxy import Proxy
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.web.addresses import Guard


class Network:
    """Makes the proxies of commands, of which each has one of its own."""

    def __init__(self, guard: Guard | None = None) -> None:
        self._guard = guard or Guard()
        self._ports = Ports()

    def proxy(self, settings: SandboxSettings, *, thread: str, job: str) -> Proxy | None:
        """Return the proxy of one command; None where the settings list no host, or commands have no box."""
        if not settings.hosts or settings.mode != "bubblewrap":
            return None
        return Proxy(settings, self._guard, self._ports, thread=thread, job=job)

    async def aclose(self) -> None:
        """End the helper."""
        await self._ports.aclose()
