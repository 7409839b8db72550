"""Makes the embedded encoder from unlabelled text: tokenizer, first vectors, masked words."""
