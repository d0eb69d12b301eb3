"""Reference attacks on real images, for orientation: `gradient` has them, `curves` what accuracy is left, `measure` asks
for the classifier alone and behind each transform, `result` is the answer."""
