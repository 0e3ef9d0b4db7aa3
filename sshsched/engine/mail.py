"""Email over SMTP, by aiosmtplib: it lets go of a server that hangs, which smtplib in a thread cannot.

Rule: with `starttls` and `ssl` nothing is sent, and nobody logs in, before the server has proved its name.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from sshsched.config.telling import Smtp
from sshsched.domain.instructions import Notice
from sshsched.kinds.actions.base import DeliveryError, Mail

TIMEOUT = 30.0  # seconds for each answer of the server


def message(mail: Mail, smtp: Smtp, notice: Notice, instance: str) -> EmailMessage:
    """The message, the same each time that it is sent: whoever gets it twice can tell by its Message-ID."""
    made = EmailMessage(SMTP.clone(max_line_length=400))  # an id in two lines confuses some readers
    made["From"] = smtp.sender
    made["To"] = ", ".join(mail.to)
    made["Subject"] = mail.subject
    made["Date"] = format_datetime(datetime.fromtimestamp(notice.made_at, UTC))
    made["Message-ID"] = f"<{message_id(notice, instance)}@sshsched.invalid>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday notice answers it
    made["Sshsched-Occasion"] = notice.occasion
    made.set_content(mail.body.encode(errors="backslashreplace").decode())
    return made


def message_id(notice: Notice, instance: str) -> str:
    """The notice and the scheduler that it is of: letters, digits, and what RFC 5322 allows beside them."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "." for char in notice.id)
    return f"{plain}.{instance}".replace("..", ".")


async def send(made: EmailMessage, smtp: Smtp, password: str) -> None:
    """Hand a message to the server. Raises DeliveryError, final if the server refuses the recipient or the message."""
    import aiosmtplib

    try:
        await aiosmtplib.send(
            made,
            hostname=smtp.host,
            port=smtp.port,
            username=smtp.user or None,
            password=password if smtp.user else None,
            use_tls=smtp.security == "ssl",
            start_tls=smtp.security == "starttls",
            tls_context=None if smtp.security == "none" else ssl.create_default_context(),
            timeout=TIMEOUT,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        refused = "; ".join(f"{each.recipient}: {each.code} {each.message}" for each in error.recipients)
        final = all(each.code >= 500 for each in error.recipients)
        raise DeliveryError(f"{smtp.host} refuses {refused}", final=final) from None
    except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
        raise DeliveryError(f"{smtp.host} refuses: {error.code} {error.message}", final=error.code >= 500) from None
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        words = str(error) or type(error).__name__
        raise DeliveryError(words if smtp.host in words else f"{smtp.host} port {smtp.port}: {words}") from None
