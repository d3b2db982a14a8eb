"""The optional assistant: a language model that words what the articles say. Off until configured."""
