"""What is turned away at the door, before any page looks at it, and what every answer carries whoever made it."""

from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

HEADERS = {
    # Django sets the first four too, but not on an answer made before its own middleware has the request (a foreign host).
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Court computers are shared: nothing is kept unless a view (or the static files) says otherwise.
    "Cache-Control": "no-store, private",
}


def threshold(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware. The database holds no NUL in any text: an address that has one names nothing, and is no fault of ours."""

    def answer(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            response = bad_request(request, SuspiciousOperation("NUL in the address"))
        else:
            response = get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answer


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for what could not be read; 413 where it was too large."""
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    return HttpResponse(render_to_string("400.html"), status=status)


class NoFiles(FileUploadHandler):
    """Stops a body at its first file. Only the mini-court form takes files, with handlers of its own; anywhere else Django
    would write them to disk before a view, or even the check of the form's token, could say no."""

    def new_file(self, *args: object, **kwargs: object) -> None:
        raise TooManyFilesSent("this form takes no files")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
