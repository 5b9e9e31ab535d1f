"""What each provider publishes: models, limits, errors."""
