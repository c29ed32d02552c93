"""A folder of weights becomes a graph that computes what the weights mean."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tests.fakes import tiny_bert

from artel.storage.knowledge.embedders import runtime
from artel.storage.knowledge.embedders.bert import UnusableModel, read
from artel.storage.knowledge.embedders.conversion import converted, graph_of
from artel.storage.knowledge.embedders.minilm import described
from artel.storage.knowledge.embedders.onnx import load
from artel.storage.knowledge.embedders.reading import Reader

TEXTS = [
    "the cat sat on the mat .",
    "a dog",
    "",
    "кот бежит under a tree , the dog runs on and on and on and on and on",
]


@pytest.mark.parametrize("act", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_the_graph_computes_what_plain_numpy_does(tmp_path: Path, kind: str, pooling: str, act: str) -> None:
    bert = read(tiny_bert.write(tmp_path / "model", kind=kind, pooling=pooling, act=act))
    first = 0 if kind == "bert" else 2
    assert (bert.pooling, bert.first_position, bert.max_tokens) == (pooling, first, 16)
    weights, reader = load_file(bert.folder / "model.safetensors"), Reader(bert)
    session = runtime.session(graph_of(bert).SerializeToString())
    for batch in reader.batches(TEXTS):
        found = session.run(["vectors"], {"ids": batch.ids, "mask": batch.mask})[0]
        for row, vector in zip(batch.rows, found, strict=True):
            ids = reader.tokens(TEXTS[row])
            wanted = tiny_bert.forward(weights, ids, layers=2, heads=4, first=first, pooling=pooling, act=act)
            np.testing.assert_allclose(vector, wanted, atol=1e-4)


def test_the_default_model_computes_what_plain_numpy_does(sentences: list[str]) -> None:
    bert = described()
    weights = load_file(bert.folder / "model.safetensors")
    session, reader = runtime.session(graph_of(bert).SerializeToString()), Reader(bert)
    for batch in reader.batches(sentences):
        found = session.run(["vectors"], {"ids": batch.ids, "mask": batch.mask})[0]
        for row, vector in zip(batch.rows, found, strict=True):
            wanted = tiny_bert.forward(weights, reader.tokens(sentences[row]), layers=6, heads=12)
            np.testing.assert_allclose(vector, wanted, atol=1e-4)


async def test_eight_bits_say_nearly_what_thirty_two_do(models: Path, sentences: list[str]) -> None:
    small, whole = (
        load(described(), models, label="minilm", languages=frozenset({"en"}), precision=precision)
        for precision in ("int8", "fp32")
    )
    long = [text for text in sentences if len(text) > 30]
    for texts, least in ((long, 0.99), (["cat", "timeout", "vitamin d", "null pointer"], 0.98)):
        assert (await small.embed(texts) * await whole.embed(texts)).sum(1).min() > least
    assert small.name != whole.name
    await small.close()
    await whole.close()


def test_a_model_is_converted_once(tiny: Path, tmp_path: Path) -> None:
    first = converted(read(tiny), tmp_path / "data" / "models", "tiny")
    made = first.stat().st_mtime_ns
    again = converted(read(tiny), tmp_path / "data" / "models", "tiny")
    assert (again, again.stat().st_mtime_ns) == (first, made)


def _heavier(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.LayerNorm.bias"] = weights["embeddings.LayerNorm.bias"] + 1
    save_file(weights, folder / "model.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        _heavier,
        lambda folder: (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 8}'),
        lambda folder: (folder / "tokenizer.json").write_text((folder / "tokenizer.json").read_text() + " "),
        lambda folder: (folder / "config_sentence_transformers.json").write_text(
            '{"prompts": {"query": "query: "}}'
        ),
    ],
    ids=["weights", "length", "tokens", "prefix"],
)
def test_what_changes_the_vectors_changes_the_name(tiny: Path, change: Callable[[Path], object]) -> None:
    before = read(tiny).digest(1)
    change(tiny)
    assert read(tiny).digest(1) != before
    assert read(tiny).digest(1) != read(tiny).digest(2)


def test_two_processes_that_convert_at_once_leave_one_whole_file(tiny: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from artel.storage.knowledge.embedders import bert, conversion, runtime\n"
        "sys.stdin.readline()\n"
        "file = conversion.converted(bert.read(Path(sys.argv[1])), Path(sys.argv[2]), 'tiny')\n"
        "runtime.session(file); print(file.name)\n"
    )
    command = [sys.executable, "-c", code, str(tiny), str(tmp_path / "models")]
    path = {"PYTHONPATH": ":".join(entry for entry in sys.path if entry)}
    pipe = subprocess.PIPE
    both = [subprocess.Popen(command, env=path, text=True, stdin=pipe, stdout=pipe) for _ in range(2)]
    said = [process.communicate("\n", timeout=120)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [file.name for file in (tmp_path / "models").iterdir()] == [said[0]] == [said[1]]


async def test_a_converted_file_that_was_cut_off_is_made_again(tiny: Path, tmp_path: Path) -> None:
    file = converted(read(tiny), tmp_path, "tiny")
    file.write_bytes(file.read_bytes()[:1000])
    embedder = load(read(tiny), tmp_path, label="tiny", languages=frozenset({"en"}))
    assert (await embedder.embed(["the cat"])).shape == (1, 16)
    await embedder.close()


def test_what_a_dead_process_left_half_written_is_swept_away(tiny: Path, tmp_path: Path) -> None:
    old, new = tmp_path / ".a.onnx.1.1.unfinished", tmp_path / ".b.onnx.2.2.unfinished"
    for left, age in ((old, 4000), (new, 10)):
        left.write_bytes(b"half")
        at = left.stat().st_mtime - age
        os.utime(left, (at, at))
    converted(read(tiny), tmp_path, "tiny")
    assert (old.exists(), new.exists()) == (False, True)


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _config(**values: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | values))

    return change


def _writes(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _in_parts(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model.safetensors.index.json")


def _with_a_dense_step(folder: Path) -> None:
    steps = json.loads((folder / "modules.json").read_text())
    steps.append({"idx": 3, "path": "3_Dense", "type": "sentence_transformers.models.Dense"})
    (folder / "modules.json").write_text(json.dumps(steps))


def _lacks_a_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, folder / "model.safetensors")


def _whole_numbers(folder: Path) -> None:
    save_file({"embeddings.word_embeddings.weight": np.zeros((3, 3), np.int64)}, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_without("config.json"), "config.json is missing"),
        (_without("tokenizer.json"), "tokenizer.json is missing"),
        (_pickled, "pytorch_model.bin is a pickle"),
        (_in_parts, "in several parts"),
        (_writes("config.json", "{"), "config.json is no JSON"),
        (_writes("config.json", "[]"), "config.json holds no object"),
        (_config(model_type="gpt2"), "model_type is 'gpt2', known are bert"),
        (_config(hidden_act="swish"), "hidden_act is 'swish'"),
        (_config(position_embedding_type="relative_key"), "position_embedding_type is 'relative_key'"),
        (_config(num_attention_heads=5), "hidden_size 16 is no multiple of num_attention_heads 5"),
        (_config(num_hidden_layers="two"), "num_hidden_layers must be a number above 0, got 'two'"),
        (_config(num_hidden_layers=3), r"the weights lack encoder\.layer\.2"),
        (_config(hidden_size=32), "has the shape"),
        (_with_a_dense_step, "step 'Dense' is unknown"),
        (_writes("modules.json", '{"a": 1}'), "modules.json is no list of modules"),
        (_writes("1_Pooling/config.json", '{"pooling_mode_weightedmean_tokens": true}'), "weightedmean"),
        (_writes("model.safetensors", "no weights at all"), "model.safetensors is broken"),
        (_whole_numbers, "weights of type I64"),
        (_lacks_a_weight, r"lack encoder\.layer\.1\.output\.dense\.bias"),
        (_writes("tokenizer.json", "{}"), "tokenizer.json is broken"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_with_what_is_wrong(
    tiny: Path, tmp_path: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    spoil(tiny)
    with pytest.raises(UnusableModel, match=reason):
        load(read(tiny), tmp_path / "models", label="tiny", languages=frozenset({"en"}))
    assert not list((tmp_path / "models").glob(".*"))


def test_no_folder_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="is no folder"):
        read(tmp_path / "nothing")
