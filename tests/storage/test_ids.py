from uuid import UUID

from artel.storage.ids import new_id, system_assistant_id


def test_ids_sort_in_the_order_they_were_made() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(made)
    assert {one.version for one in made} == {7}
    assert isinstance(made[0], UUID)


def test_a_graph_has_the_assistant_id_that_clients_compute_for_it() -> None:
    assert str(system_assistant_id("agent")) == "fe096781-5601-53d2-b2f6-0d3403f7e9ca"
