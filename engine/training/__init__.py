"""Training a GPT-J: from data files to a checkpoint that vLLM serves as it is.

Reads from top to bottom:

    recipe      what is trained, on how much, with which numbers (recipes/*.toml)
    phrasing    one pattern, many ways of saying it; slips of the keyboard
    intents     what people say to Jay and what it replies (intents/*.toml)
    reading     messages with a question or to sum up, and what is right to say
    corpus      whole dialogues, drawn by seed and number
    vocabulary  the tokenizer
    packing     batches of token ids with a weight for each
    model       GPT-J on one page
    induction   attention heads that copy, set by hand before the first step
    loop        optimizer, schedule, checkpoints
    pretrain    all of the above as one resumable run
    publish     the safetensors directory
    writing     such a directory, writing replies
    evaluate    what it says to phrasings that it never saw

Torch and transformers enter only here. Nothing of adapters enters, and of
`bot` only its words: the prompt format is `bot.family`, for training as for
serving.
"""

from __future__ import annotations
