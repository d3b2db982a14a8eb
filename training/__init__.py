"""What trains the parts of the product that are learnt; nothing here is needed to run a bot."""
