"""One file of a draft as its page shows it: in words where it stands, and what its sender should know."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from . import arrivals, names, sentences
from .models import Draft, Upload

State = Upload.State


@dataclass(frozen=True, slots=True)
class FileCard:
    upload: Upload
    twin: str = ""
    """Name of an earlier file of the draft with the same bytes."""

    @property
    def name(self) -> str:
        return names.shown(self.upload.name)

    @property
    def modifier(self) -> str:
        """The card's class: received, changed (received, but its sender should look), paused, refused."""
        if self.upload.state == State.ARRIVED:
            return (
                "changed"
                if any(w["code"] == "RECODED_SUSPECTED" for w in self.upload.warnings)
                else "received"
            )
        return "paused" if self.upload.state == State.ARRIVING else "refused"

    @property
    def percent(self) -> int:
        if self.upload.state != State.ARRIVING:
            return 100
        try:
            return arrivals.offset(self.upload) * 100 // self.upload.size
        except arrivals.Closed:
            return 0

    @property
    def state(self) -> str:
        if self.upload.state == State.ARRIVED:
            if self.upload.device_sha256:
                return _("已收到，与您设备上的文件完全相同")
            return _("已收到，请与原文件核对下面的指纹")
        if self.upload.state == State.ARRIVING:
            return _("已保存到 %(p)s%%。请再选一次同一个文件，从这里继续") % {"p": self.percent}
        return sentences.refusal(self.upload.refusal)

    @property
    def notices(self) -> list[str]:
        said = [sentences.warning(w["code"], **w["values"]) for w in self.upload.warnings]
        if self.twin:
            said.append(
                _("与“%(name)s”内容完全相同，法院只保存一份。可以移除其中一个。") % {"name": self.twin}
            )
        return said


def of(draft: Draft) -> list[FileCard]:
    """In the order in which they came; a later file with the bytes of an earlier one names it."""
    first: dict[str, str] = {}
    made = []
    for upload in draft.uploads.exclude(state=State.REMOVED):
        made.append(FileCard(upload, twin=first.get(upload.sha256, "") if upload.sha256 else ""))
        if upload.state == State.ARRIVED:
            first.setdefault(upload.sha256, names.shown(upload.name))
    return made


def of_upload(upload: Upload) -> FileCard:
    """The card of one file, as it stands among the others."""
    return next((card for card in of(upload.draft) if card.upload.pk == upload.pk), FileCard(upload))
