"""What other packages expect of a verifier, an estimator or a log, made of this library's; each imports its package."""
