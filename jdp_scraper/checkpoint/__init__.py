"""What a run writes down so that it can be cut off anywhere: run folder, checkpoint, session lease."""
