"""GPT-J served by vLLM: the client, the launcher, prompt families and training."""
