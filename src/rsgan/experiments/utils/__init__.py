"""What experiments share beside their base: the conditional GAN, losses, figures."""
