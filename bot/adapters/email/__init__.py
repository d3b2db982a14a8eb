"""The e-mail channel: a mailbox read by IMAP and written from by SMTP (`pip install 'otklik[email]'`)."""
