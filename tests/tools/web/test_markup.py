"""HTML is read as a person would read it, and no page takes longer than its length."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.web.markup import readable

BASE = "https://a.example/docs/"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<title>T &amp; U</title><h2>Head</h2><p>one<p>two", "Title: T & U\n\n## Head\n\none\n\ntwo"),
        ("<p>a\n  b&nbsp;&nbsp;c</p>", "a b c"),
        ("a<br>b<div>c</div>d", "a\nb\nc\nd"),
        ("<ul><li>one<li><p>two</p></ul>x", "- one\n- two\n\nx"),
        ("<table><tr><th>a<th>b<tr><td>1<td>2</table>", "a | b\n1 | 2"),
        ("<pre>\nif x:\n    y &lt; 1\n</pre>z", "```\nif x:\n    y < 1\n```\n\nz"),
        ("<a href='../x?q=1 2'>to <b>x</b></a>!", "[to x](https://a.example/x?q=1%202)!"),
        ("<a href=b(1)>p</a>", "[p](https://a.example/docs/b%281%29)"),
        ("<a href=/x><div>block</div></a>", "[block](https://a.example/x)"),
        ("<a href='javascript:go()'>j</a> <a href='data:x'>d</a> <a href='#m'>m</a>", "j d m"),
        ("<a href='" + "x" * 501 + "'>long</a>", "long"),
        ("<a href='http://[/'>odd</a>", "odd"),
        ("<a href=1>one<a href=2>two</a>", "[one](https://a.example/docs/1)[two](https://a.example/docs/2)"),
        ("x<script>if (a</b) '<p>no'</script>y<style>p{}</style>", "xy"),
        ("x<!-- no --><!>y<!--> z <!-- to the end", "xy z"),
        ("<div hidden>no<div>no</div></div><span style='DISPLAY : none'>no</span>yes", "yes"),
        ("<template>no</template><svg><title>no</title></svg><svg/>yes", "yes"),
        ("<body style='display:none'>yes", "yes"),
        ("<img alt='a cat'><img alt=''><img>", "[a cat]"),
        ("3 < 5 & 6 > 4 &#9731; &bogus; &#99999999999;", "3 < 5 & 6 > 4 ☃ &bogus; �"),
        ("<p title='a > b'>c</p><P CLASS=x>d", "c\n\nd"),
        ("<script>never closed", ""),
        ("<a href='never closed", ""),
        ("", ""),
        ("plain", "plain"),
    ],
)
def test_a_page_reads_as(html: str, text: str) -> None:
    assert readable(html, BASE) == text


PIECES = st.sampled_from(
    [
        *(
            "<a href='x'>",
            "</a>",
            "<p>",
            "<li>",
            "<pre>",
            "</pre>",
            "<td>",
            "<svg>",
            "</svg>",
            "<div hidden>",
        ),
        *(
            "</div>",
            "<!--",
            "-->",
            "<script>",
            "</script>",
            "'",
            '"',
            "<",
            ">",
            "=",
            "/",
            "&",
            "&#x0;",
            " ",
            "\n",
        ),
        *(
            "word",
            "<h1",
            "<hr>",
            "</",
            "<!",
            "<title>",
            "<img alt=x>",
            "\x00",
            "&#xD800;",
            "``",
            "<ul>",
            "</ul>",
        ),
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_no_page_is_too_broken_to_be_read(html: str) -> None:
    text = readable(html, BASE)
    assert "\n\n\n" not in text or "```" in text
    text.encode()


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<!--",
            "<a ",
            "<a href='",
            "<![",
            "&#",
            "<td> ",
            "<a href=x>",
            "<li>",
            "<div hidden>",
            "<script>",
            "<",
        ),
        *("<p x='href=\" ", "<a b= ", "</", "<svg>", "<pre>"),
    ],
)
def test_a_hostile_page_takes_no_longer_than_its_length(piece: str) -> None:
    def took(size: int) -> float:
        html = piece * (size // len(piece))
        begun = time.process_time()
        readable(html, BASE)
        return time.process_time() - begun

    assert took(400_000) < 5  # a parser that looks back takes minutes
