"""What is asked, in one provider's words."""
