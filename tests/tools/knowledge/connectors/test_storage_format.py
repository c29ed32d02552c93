"""What a reader of a Confluence page sees stays; what only Confluence understands goes."""

import pytest

from artel.tools.knowledge.connectors.storage_format import html


def body(storage: str) -> str:
    return html(storage, "T").partition("<h1>T</h1>")[2].removesuffix("</body></html>")


@pytest.mark.parametrize(
    ("storage", "shown"),
    [
        ("<p>A&ndash;B &amp; &lt;c&gt; &nosuch;</p>", "<p>A–B &amp; &lt;c&gt; </p>"),
        (
            '<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">py</ac:parameter>'
            "<ac:plain-text-body><![CDATA[x = '&nbsp;' < 1]]></ac:plain-text-body></ac:structured-macro>",
            "<pre><code class=\"language-py\">x = '&amp;nbsp;' &lt; 1</code></pre>",
        ),
        (
            '<ac:structured-macro ac:name="warning"><ac:rich-text-body><p>Mind</p></ac:rich-text-body>'
            "</ac:structured-macro>",
            "<blockquote><p><strong>Warning</strong></p><p>Mind</p></blockquote>",
        ),
        (
            '<ac:structured-macro ac:name="panel"><ac:parameter ac:name="title">Why</ac:parameter>'
            "<ac:rich-text-body><p>So</p></ac:rich-text-body></ac:structured-macro>",
            "<div><p><strong>Why</strong></p><p>So</p></div>",
        ),
        ('<ac:structured-macro ac:name="toc" /><p>A</p>', "<p>A</p>"),
        (
            '<p>Is <ac:structured-macro ac:name="status"><ac:parameter ac:name="colour">Red</ac:parameter>'
            '<ac:parameter ac:name="title">LATE</ac:parameter></ac:structured-macro>!</p>',
            "<p>Is LATE!</p>",
        ),
        ('<p>See <ac:link><ri:page ri:content-title="Home" /></ac:link>.</p>', "<p>See Home.</p>"),
        (
            '<p><ac:link><ri:page ri:content-title="Home" />'
            "<ac:plain-text-link-body><![CDATA[the <start>]]></ac:plain-text-link-body></ac:link></p>",
            "<p>the &lt;start&gt;</p>",
        ),
        ('<p>By <ac:link><ri:user ri:userkey="8a7f" /></ac:link>x</p>', "<p>By x</p>"),
        ('<ac:image><ri:attachment ri:filename="plan.png" /></ac:image>', '<img alt="plan.png">'),
        (
            "<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete</ac:task-status>"
            "<ac:task-body>Ship</ac:task-body></ac:task></ac:task-list>",
            "<ul><li>[x] Ship</li></ul>",
        ),
        (
            '<ac:layout><ac:layout-section ac:type="single"><ac:layout-cell><p>In</p></ac:layout-cell>'
            "</ac:layout-section></ac:layout>",
            "<p>In</p>",
        ),
        ("<p>never closed", "<p>never closed"),
        (
            "<table><tbody><tr><td>1</td></tr></tbody></table>",
            "<table><tbody><tr><td>1</td></tr></tbody></table>",
        ),
    ],
)
def test_each_kind_of_element(storage: str, shown: str) -> None:
    assert body(storage) == shown


def test_a_page_nested_without_end_is_handed_on_as_it_is() -> None:
    storage = "<div>" * 5_000 + "</div>" * 5_000
    assert body(storage) == storage


def test_a_title_is_no_markup() -> None:
    assert "<h1>&lt;script&gt;</h1>" in html("", "<script>")
