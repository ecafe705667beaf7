"""Training a GPT-J: from data files to a checkpoint that vLLM serves as it is.

Reads from top to bottom. What it is taught:

    recipe      what is trained, on how much, with which numbers (recipes/*.toml)
    phrasing    one pattern, many ways of saying it; slips of the keyboard
    entities    names, things, dates and sums by the thousand
    intents     what people say to Jay and what it replies (intents/*.toml)
    reading     messages with a question or to sum up, and what is right to say
    corpus      whole dialogues, drawn by seed and number

From scratch (`jay train mini`):

    vocabulary  the tokenizer
    packing     batches of token ids with a weight for each
    model       GPT-J on one page
    gptj        the same in the form that transformers and vLLM know, and back
    induction   attention heads that copy, set by hand before the first step
    loop        optimizer, schedule, checkpoints
    losses      the curve of a run
    ranks       several processes, as `torchrun` starts them
    memory      what is said when there is too little
    pretrain    all of the above as one resumable run

From a checkpoint (`jay finetune`):

    examples    an operator's conversations, read and checked
    rows        these as token ids, as serving writes them
    weights     the checkpoint that it starts from, or invented weights of its shape
    lora        adapters beside frozen weights, folded in at the end
    tuner       transformers' GPT-J with what trains it
    finetune    all of the above as one resumable run

Out of it, and how good it is (`jay evaluate model`; who asks is `bot.judging.examining`):

    publish     the safetensors directory
    exam        what a checkpoint is asked: draws that training never makes
    judge       what is right, and well formed
    probes      pairs that should make no difference, requests that must be caught
    scores      figures with their intervals

Torch, transformers and peft enter only here, and nothing that judges needs
them. Nothing of adapters enters, and of `bot` only its words and settings: the
prompt format is `bot.family`, for training as for serving.
"""

from __future__ import annotations
