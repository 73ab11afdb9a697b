"""The promise that no secret leaves its place: not into a log, an event or a dead letter."""

from shoal.audit.leaks import Leaks
from shoal.audit.subject import Subject
from shoal.audit.survey import Survey
from shoal.service.audit import Verdict


async def secrets(subject: Subject, survey: Survey) -> Verdict:
    """Search logs and streams for the system's passwords and keys, and for signed tokens."""
    leaks, lines = Leaks(subject.secrets), 0
    for text in subject.texts:
        subject.progress(f"secrets in {text.name}")
        for number, line in enumerate(text.lines(), 1):
            leaks.look(f"{text.name} line {number}", line)
            lines += 1
    found = (*leaks.found, *(leak for book in survey.books.values() for leak in book.leaks))
    counts = {
        "secrets": len(subject.secrets),
        "lines": lines,
        "messages": sum(book.count for book in survey.books.values()),
    }
    return Verdict(counts=counts, violations=found)
