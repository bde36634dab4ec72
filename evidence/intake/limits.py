"""Every bound of intake, by name and with its reason. Two more are the court's own settings: PORTAL_UPLOAD_MAX (one
file) and PORTAL_QUOTA_PER_CASE (all files of a case)."""

PART_BYTES = 5 << 20
"""One part of a resumable upload: 40 s on a 1 Mbit/s line, so a broken connection costs little; below the body limit of
`DATA_UPLOAD_MAX_MEMORY_SIZE`."""
PLAIN_MAX = 50 << 20
"""All files of one plain form together. Without parts a broken connection loses everything, and the proxy and the
temporary directory must hold the whole body; larger files need the resumable way."""
FORM_ROOM = 64 << 10
"""What a form may carry beside its files."""
FILES_MAX = 50
"""Files of one exhibit (equals DATA_UPLOAD_MAX_NUMBER_FILES). The largest known set, a time-stamped recording in three
takes, has nine."""
OPEN_UPLOADS_MAX = 20
"""Unfinished uploads of one person over all drafts: each holds a file in the staging area."""
DRAFTS_MAX = 30
"""Unsubmitted drafts of one person."""
DAILY_DRAFTS_MAX = 200
"""Drafts one person may begin in 24 hours, given-up ones included: serial cases have dozens, a script has thousands."""
DAILY_BYTES_MAX = 10 << 30
"""What one person may begin to send in 24 hours, files removed again included: half a case's quota. Nothing a person
sends and takes back can fill the disk."""
DAILY_UPLOADS_MAX = 1000
"""Files one person may begin to send in 24 hours: twenty full exhibits."""
STALE_DAYS = 30
"""An unfinished upload nobody has touched for so long is discarded; the draft stays."""
STALE_PER_REQUEST = 5
"""How many of them one new upload clears away, so that no request pays for all."""
NAME_MAX = 255
"""Characters kept of a file's name (`ExhibitFile.name`)."""
METADATA_MAX = 4096
"""Upload-Metadata header: a 300-character Chinese name is 1,200 base64 characters."""
DIGESTS_MAX = 1024
"""Body with which the device ends an upload."""
MANIFEST_MAX = 32 << 10
"""The plain form's list of what it sends: 50 files with two digests and long names stay below it."""
