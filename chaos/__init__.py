"""What the platform survives: experiments as data, one file each."""
