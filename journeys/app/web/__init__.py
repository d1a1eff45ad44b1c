"""The web application: pages for people who never open a terminal. Reads come from views, changes are commands."""
