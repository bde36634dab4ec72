"""The export desk: signed reports, re-verification bundles and the catalogue of evidence of a case in one archive, made by a job."""
