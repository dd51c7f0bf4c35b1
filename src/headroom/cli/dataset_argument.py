"""What `headroom bench` says about the data set it is given."""

DATASET_HELP = (
    "Photos: panoramas:FOLDER, or pairs:FOLDER for photos with an HDR file of the same stem beside each. "
    "Brackets: brackets:FOLDER of `headroom data brackets`, "
    "or kalantari:, hu:, tel:, challenge123:, sen: or tursun:FOLDER."
)
