"""What `headroom bench` says about the data set it is given."""

DATASET_HELP = "Data set, such as tiny:photos or kalantari:FOLDER; `headroom bench datasets` lists all."
