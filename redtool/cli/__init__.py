"""The verbs: redtool's own subcommands, one module each. typer is imported only here."""
