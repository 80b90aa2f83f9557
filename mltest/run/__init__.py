"""One run of the plugin, from options to exit status. Loaded only with --ml-score, or by a fixture of ours."""
