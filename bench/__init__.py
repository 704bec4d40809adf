"""What the pipeline costs, with every figure compared to an alternative in the same run."""
