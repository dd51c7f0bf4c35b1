"""Networks that metrics look through, and what they need of other packages."""
