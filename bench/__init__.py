"""What the pipeline costs: every figure against an alternative of the same run."""
