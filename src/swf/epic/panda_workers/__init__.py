"""PanDA workers that are there already: what they are told, what they answer, and how an answer finds its slice."""
