"""The beginning: the folder in which an owner's own bot lives, made once and never written over."""
