"""STF files: their layout, generators of content, writing, reading by TF range, samples, histograms, clusters."""
