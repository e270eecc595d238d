"""l1l2fast: L1 and L2 norms, as the loss or as the penalty; fast, exact, certified."""
