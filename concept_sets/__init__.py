"""What is asked: concepts, their terms and templates, and the stimuli that show them."""
