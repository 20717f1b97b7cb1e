"""PDFs that hold more than pages, made by pikepdf and reportlab, by what they hold."""

from __future__ import annotations

import io
from collections.abc import Callable

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String
from reportlab.pdfgen.canvas import Canvas

from jdp_scraper.pdf.active_content import EMBEDDED, JAVASCRIPT, LAUNCH, XFA

from . import reports


def script() -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def program() -> Dictionary:
    return Dictionary(S=Name.Launch, F=String("/bin/sh"))


def changed(change: Callable[[Pdf], object], **options: object) -> bytes:
    """The report of reference 7, changed; object streams hide every name unless ``options`` say otherwise."""
    buffer = io.BytesIO()
    packed = {"object_stream_mode": pikepdf.ObjectStreamMode.generate, "compress_streams": True}
    with pikepdf.open(io.BytesIO(reports.beside("7"))) as pdf:
        change(pdf)
        pdf.save(buffer, **(packed | options))
    return buffer.getvalue()


def open_action(pdf: Pdf) -> None:
    pdf.Root.OpenAction = script()


def script_behind_a_reference(pdf: Pdf) -> None:
    kind = pdf.make_indirect(Name.JavaScript)
    pdf.Root.OpenAction = pdf.make_indirect(Dictionary(S=kind, JS=pdf.make_stream(b"app.alert(1)")))


def additional_action_of_the_page(pdf: Pdf) -> None:
    pdf.pages[0].obj.AA = Dictionary(O=script())


def tree_of_names(pdf: Pdf) -> None:
    leaf = pdf.make_indirect(Dictionary(Names=Array([String("start"), script()])))
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Kids=Array([leaf])))


def end_of_a_chain(pdf: Pdf) -> None:
    harmless = Dictionary(S=Name.GoTo, D=Array([0]), Next=Array([Dictionary(S=Name.GoTo, Next=script())]))
    pdf.Root.OpenAction = harmless


def rendition(pdf: Pdf) -> None:
    pdf.Root.OpenAction = Dictionary(S=Name.Rendition, JS=String("app.alert(1)"))


def field(pdf: Pdf) -> None:
    one = pdf.make_indirect(Dictionary(FT=Name.Tx, T=String("a"), AA=Dictionary(K=script())))
    pdf.Root.AcroForm = Dictionary(Fields=Array([one]))


def launch_by_annotation(pdf: Pdf) -> None:
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 99, 99]), A=program())
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(link)])


def launch_by_outline(pdf: Pdf) -> None:
    item = pdf.make_indirect(Dictionary(Title=String("x"), A=program()))
    pdf.Root.Outlines = pdf.make_indirect(Dictionary(First=item, Last=item, Count=1))


def attachment(pdf: Pdf) -> None:
    pdf.attachments["tool.exe"] = b"MZ"


def attached_note(pdf: Pdf) -> None:
    content = pdf.make_stream(b"MZ")
    file = Dictionary(Type=Name.Filespec, F=String("tool.exe"), EF=Dictionary(F=content))
    note = Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=Array([0, 0, 9, 9]), FS=file)
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(note)])


def xfa(pdf: Pdf) -> None:
    pdf.Root.AcroForm = Dictionary(Fields=Array(), XFA=pdf.make_stream(b"<xdp/>"))


def unreachable(pdf: Pdf) -> None:
    """Nothing leads to it but its number; a viewer that mends files may find it."""
    pdf.trailer.Spare = pdf.make_indirect(script())


KINDS: dict[Callable[[Pdf], None], tuple[str, ...]] = {
    open_action: (JAVASCRIPT,),
    script_behind_a_reference: (JAVASCRIPT,),
    additional_action_of_the_page: (JAVASCRIPT,),
    tree_of_names: (JAVASCRIPT,),
    end_of_a_chain: (JAVASCRIPT,),
    rendition: (JAVASCRIPT,),
    field: (JAVASCRIPT,),
    launch_by_annotation: (LAUNCH,),
    launch_by_outline: (LAUNCH,),
    attachment: (EMBEDDED,),
    attached_note: (EMBEDDED,),
    xfa: (XFA,),
    unreachable: (JAVASCRIPT,),
}


def drawn_by_reportlab() -> bytes:
    """A link that starts a program, and a script at the opening, by another maker than pikepdf."""

    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, f"Stock # 7 VIN: {reports.VIN}")
        canvas._doc.Catalog.OpenAction = "<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
        canvas._doc.Catalog.__NoDefault__ = [*canvas._doc.Catalog.__NoDefault__, "OpenAction"]

    return reports.drawn(draw)
