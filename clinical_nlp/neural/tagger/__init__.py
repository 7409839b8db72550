"""The mention tagger: network, inference module, Viterbi decoding, model folder."""
