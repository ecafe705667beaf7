"""Judges a model, and what the skills make of it, through the parts that people meet.

examining   a served model, on what it was never trained on
probing     the same for bias and misuse
talks       conversations with known facts, and questions about them
answers     `/answer` on these, and how it did
summaries   `/summarize` likewise
skills      opens the model in use and measures both
"""
