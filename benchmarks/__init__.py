"""Speed and memory as ratios: ours and a reference, side by side in one run, on the same servers."""
