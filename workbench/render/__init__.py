"""Blocks and gates in every medium: text, ANSI, Markdown, HTML, JSON, JUnit; each makes untrusted text safe itself."""
