"""How well dialogs are led: the scorecard, what can be seen of it by itself, and what supervisors say."""
