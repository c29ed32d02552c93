"""Who should work on a request, by rules: Russian and English, by stems and at word boundaries.

docs/explanation/routing.md tells how they read a request; `evals/routing` judges them.
"""

from artel.graphs.routing.choosing import Choice, choose
from artel.graphs.routing.language import bare, is_russian
from artel.graphs.routing.nearness import nearest

__all__ = ["Choice", "bare", "choose", "is_russian", "nearest"]
